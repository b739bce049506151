"""Pages for candidates: signing in, their exams, the exam itself and its result."""
