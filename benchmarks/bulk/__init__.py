"""Millions of rows at once, compared with marking them alone and with joins in Polars and DuckDB."""
