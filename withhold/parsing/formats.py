"""The formats of rule files, by the endings of file names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from withhold.parsing.json_file import read_json
from withhold.parsing.nodes import Node
from withhold.parsing.yaml_file import read_yaml

#: For each ending, the function that parses the text and the name of a file into a node.
READERS: Mapping[str, Callable[[str, str], Node | None]] = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}
#: The endings in words, for hints.
ENDINGS = f"{', '.join(f'`{ending}`' for ending in [*READERS][:-1])} or `{[*READERS][-1]}`"
