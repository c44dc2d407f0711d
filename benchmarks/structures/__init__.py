"""Which structure suits a table of ids that are mostly not in it: `python -m benchmarks.structures`."""
