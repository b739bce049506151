"""The rules of an exam: the design, how a sitting starts, stops and is classified."""
