"""The commands of those who watch over sittings that run."""
