"""What serving and locating cost, beside rivals and floors: `python -m benchmarks`."""
