"""The ids of many rules as one set, at eight bytes each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from withhold.model.ids import IdSet


def union(sets: Iterable[IdSet]) -> IdSet:
    ids = array("q")
    for each in sets:
        ids.extend(each)
    return IdSet.from_array(ids)
