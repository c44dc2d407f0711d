"""Millions of rows at once, in Arrow, Polars and Spark."""
