"""Text into values: files with places, ids, and one strict reader for every schema."""
