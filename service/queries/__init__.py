"""Read things: rows for pages and the API. Nothing here changes anything or looks into an instance's state."""
