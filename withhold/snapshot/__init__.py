"""Rule sets compiled for serving: an id in, the rules that name it out."""

from withhold.snapshot.snapshot import Snapshot

__all__ = ["Snapshot"]
