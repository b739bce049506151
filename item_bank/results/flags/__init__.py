"""What stands out in a sitting: person fit, rapid answers, known items, likeness, times."""
