"""Pages for staff: signing in, sittings and their reports, exams and the exposure of items."""
