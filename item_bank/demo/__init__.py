"""The demonstration bank, its exams and people, and its simulated past sittings."""
