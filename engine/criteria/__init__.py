"""What an item is worth to an examinee: one file for each kind of criterion."""
