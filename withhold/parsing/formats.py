"""The formats of rule files, each with its file name endings and its parser."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from withhold.parsing.json_file import read_json
from withhold.parsing.nodes import Node
from withhold.parsing.yaml_file import read_yaml

#: For each ending, the function that parses a file into a node, from its text and its name.
READERS: Mapping[str, Callable[[str, str], Node | None]] = {".yaml": read_yaml, ".yml": read_yaml, ".json": read_json}
#: The endings as text, for hints.
ENDINGS = f"{', '.join(f'`{ending}`' for ending in [*READERS][:-1])} or `{[*READERS][-1]}`"
