"""The page of results, with its plots and tables."""
