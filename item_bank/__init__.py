"""The facts: what can be asked and what happened. The only package with tables."""
