"""What happened: exams, people, sittings, responses and results."""
