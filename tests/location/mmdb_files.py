"""Databases that the tests write, and the directory of MaxMind's test databases, if it exists."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest
from mmdb_writer import MMDBType, MMDBWriter, SearchTreeNode
from netaddr import IPSet

MAXMIND = Path(__file__).parents[3] / "shared" / "data" / "maxmind"
needs_maxmind = pytest.mark.skipif(not MAXMIND.is_dir(), reason=f"MaxMind's test databases are not in {MAXMIND}")


def country(
    code: str | None,
    *subdivisions: str,
    registered: str | None = None,
    represented: str | None = None,
    **more: object,
) -> dict[str, object]:
    """Return a record in MaxMind's schema."""
    record: dict[str, object] = {"continent": {"code": "EU"}, **more}
    if code is not None:
        record["country"] = {"iso_code": code, "names": {"en": f"name of {code}"}}
    if subdivisions:
        record["subdivisions"] = [{"iso_code": part, "names": {"en": part}} for part in subdivisions]
    if registered is not None:
        record["registered_country"] = {"iso_code": registered}
    if represented is not None:
        record["represented_country"] = {"iso_code": represented, "type": "military"}
    return record


def write(
    path: Path,
    networks: Mapping[str, object],
    *,
    kind: str = "GeoIP2-Country",
    ip_version: int = 6,
    aliases: bool = False,
) -> Path:
    """Write a database. Later networks replace parts of earlier ones. With `aliases`, add the aliases of MaxMind's trees."""
    writer = MMDBWriter(ip_version, kind, languages=["en"], description="test", ipv4_compatible=ip_version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), cast("MMDBType", record))
    if aliases:
        v4 = _node(writer.tree, "0" * 96)
        for bits in ("0" * 80 + "1" * 16, f"{0x2002:016b}", f"{0x20010000:032b}"):
            _node(writer.tree, bits[:-1])[int(bits[-1])] = v4
    writer.to_db_file(str(path))
    return path


def _node(node: SearchTreeNode, bits: str) -> SearchTreeNode:
    for bit in bits:
        child = node.get_or_create(int(bit))
        assert isinstance(child, SearchTreeNode)
        node = child
    return node
