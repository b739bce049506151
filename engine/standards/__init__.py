"""Standard setting: what a panel's ratings and bookmarks say about a cut on theta."""
