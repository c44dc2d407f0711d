"""Benchmarks: `python -m benchmarks.<name>`. Run from the top level of the repository."""
