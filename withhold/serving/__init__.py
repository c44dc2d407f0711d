"""Answers to clients, caches and viewers: caching headers, notices, answers for a single tweet, middleware."""
