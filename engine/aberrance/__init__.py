"""Unusual answers: misfit, odd times, rapid guesses, copied answers."""
