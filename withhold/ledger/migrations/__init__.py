"""Migrations of the tables, run by `Ledger.open(create=True)`."""
