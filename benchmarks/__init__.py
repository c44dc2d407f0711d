"""What serving costs, beside what it cannot cost less than: `python -m benchmarks`."""
