"""Tests of `withhold.demands`: orders in, rules out, and every path between."""
