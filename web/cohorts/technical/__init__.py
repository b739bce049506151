"""The technical report of an exam over a period, as one PDF."""
