"""Compare ways to locate an address: `python -m benchmarks.location`."""
