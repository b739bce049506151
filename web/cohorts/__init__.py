"""Cohorts in the browser: results, precision, groups, time, items and alarms of one exam."""
