"""Correcting results in the browser: proposals, dry runs, signatures, compromised items."""
