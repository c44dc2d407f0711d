"""Rule sets compiled for serving: an index from an id to the rules that name it."""

from withhold.snapshot.snapshot import Snapshot

__all__ = ["Snapshot"]
