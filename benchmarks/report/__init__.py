"""The page of results, its plots and tables."""
