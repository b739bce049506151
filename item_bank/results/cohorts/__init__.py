"""Cohorts: what the sittings of one exam came to together, counted by the database."""
