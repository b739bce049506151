"""Differential item functioning: items that groups of equal ability meet differently."""
