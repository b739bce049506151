"""Item response families, one file each, with the same verbs in the same order."""
