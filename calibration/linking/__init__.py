"""Linking: constants between scales, their errors, drift of items, and leaks."""
