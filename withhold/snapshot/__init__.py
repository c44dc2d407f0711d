"""Rule sets compiled for serving: an id in, the rules that name it out."""

from withhold.snapshot.posting import Posting
from withhold.snapshot.snapshot import Snapshot
from withhold.snapshot.table import DictTable, Table

__all__ = ["DictTable", "Posting", "Snapshot", "Table"]
