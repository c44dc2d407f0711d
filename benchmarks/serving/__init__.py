"""Time the rivals: each runs in its own process, and all get the same questions in turns."""
