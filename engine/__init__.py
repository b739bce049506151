"""The adaptive-testing core: arrays in, arrays out; no I/O, clock, database or global state."""
