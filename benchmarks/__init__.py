"""Benchmarks of checks, pages, rule files and location: `python -m benchmarks`."""
