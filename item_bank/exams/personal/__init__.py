"""Personal data of candidates: codes, what is held about them, erasing it, and for how long."""
