"""Figures of pages: geometry in Python, SVG in templates, with no style in either."""
