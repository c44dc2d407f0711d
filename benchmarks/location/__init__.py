"""What it costs to locate an address: `python -m benchmarks.location`."""
