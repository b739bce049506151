"""Whether given parameters hold in the data: items, pairs of items, and the test as a whole."""
