"""Many questions to every way of answering, compared with the reference: `python -m benchmarks.differential`."""
