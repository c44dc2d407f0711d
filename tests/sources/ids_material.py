"""Rules with lists of ids, for tests of these lists."""

from __future__ import annotations

from tests.sources.writing import RULE

CSV = f"{RULE}  ids_file: ids.csv\n"

PLAIN = f"{RULE}  ids_file: {{accounts: ids.txt}}\n"
