"""Change things: one function is one use case. Commands take ``session`` first, may flush and never commit."""
