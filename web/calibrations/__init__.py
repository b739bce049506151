"""Calibration in the browser: runs, drafts, releases and what differs between them, studies."""
