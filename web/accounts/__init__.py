"""Accounts of the staff: one's own, those that an administrator keeps, and links to a password."""
