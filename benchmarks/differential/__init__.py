"""Compare the answers of all implementations with the reference: `python -m benchmarks.differential`."""
