"""Corrections of results: a wrong key, a dropped item, changed cut scores; compromised items."""
