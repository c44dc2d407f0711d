"""Decide whether a viewer, where they are, may see an account or a tweet, and say why."""
