"""Long work as staff see it: what was asked for, how far it is, and what came of it."""
