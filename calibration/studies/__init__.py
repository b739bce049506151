"""Keeping tables of studies in the database, so that pages can show them."""
