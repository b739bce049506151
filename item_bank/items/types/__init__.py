"""What can be asked: one file for each type of item, or family of types."""
