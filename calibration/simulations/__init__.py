"""Simulated adaptive tests: options and exam files in, trajectories and a report out."""
