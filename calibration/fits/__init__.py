"""Fitting and scoring from files: the commands, and what recalibration shares with them."""
