"""Everything people look at, and the JSON API. With ``app.py`` the only part that imports Flask."""
