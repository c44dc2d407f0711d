"""Millions of rows at once, in Arrow."""
