"""Standard setting: panels, their rounds, and the cut scores that come of them."""
