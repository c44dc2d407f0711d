"""Compare data structures for a table of ids: `python -m benchmarks.structures`."""
