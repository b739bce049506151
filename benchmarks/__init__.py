"""Speed, printed as ratios and medians measured in one run: `make bench`."""
