"""A site under load, by real processes over HTTP: `python -m benchmarks.load`, or `make load`."""
