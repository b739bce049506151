"""Exposure control: keeping the best item from being everyone's item."""
