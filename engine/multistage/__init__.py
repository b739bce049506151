"""Multistage tests: panels of modules made beforehand, and the routes through them."""
