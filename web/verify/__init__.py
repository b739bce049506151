"""The public page that says whether a result is genuine and still stands."""
