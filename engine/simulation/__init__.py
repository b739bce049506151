"""Whole crowds of examinees at once, and what a bank can do before an exam opens."""
