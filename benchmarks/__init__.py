"""What serving and locating cost, beside what they cannot cost less than: `python -m benchmarks`."""
