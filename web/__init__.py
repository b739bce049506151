"""The Flask and htmx shell around the other packages; it owns no table."""
