"""Pages of results to decide on: lists, signing many, acts on one, appeals."""
