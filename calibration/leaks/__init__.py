"""Leaks: items that get easier while they are used."""
