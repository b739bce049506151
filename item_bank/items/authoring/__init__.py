"""What people do to items: move them through their life cycle, sign off, comment, compare."""
