"""Recalibration of a bank from recorded sittings: the command that meets the database."""
