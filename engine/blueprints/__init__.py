"""Blueprints: what a form must contain, as masks, as a priority index and as a shadow test."""
