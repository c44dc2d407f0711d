"""Legal demands: orders in, rules out, on the record."""
