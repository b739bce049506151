"""What can be asked: item content, scoring rules, revisions and releases."""
