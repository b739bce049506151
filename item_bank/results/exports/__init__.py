"""Exports: results and responses as tables, and de-identified data for research."""
