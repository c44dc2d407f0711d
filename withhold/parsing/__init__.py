"""Text into values: YAML and JSON with places, ids, and one strict reader for every schema."""
