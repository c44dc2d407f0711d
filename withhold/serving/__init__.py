"""What a client, a cache and a viewer are told: caching headers, notices, answers for a single tweet, middleware."""
