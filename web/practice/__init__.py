"""Practice questions: one of each item type, from a pool that no exam uses."""
