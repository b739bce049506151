"""What a result says: scales, levels, classification, domains."""
