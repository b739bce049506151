"""Ability: priors, grids, the estimators and what their modes need."""
