"""YAML into nodes. Every scalar stays the text it is, so `NO` is Norway and an id keeps its digits (T6)."""

from __future__ import annotations

import yaml

from withhold.sources.nodes import Builder, Node, Quoted, refused

# libyaml's parser is ten times faster where PyYAML was built with it; both give the same events.
_Loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_NULLS = ("", "~", "null", "Null", "NULL")


def read_yaml(text: str, file: str) -> Node | None:
    """Return the one document of a YAML text, or None if it has none; raises `RuleSetError`."""
    build = Builder(file)
    documents = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            mark = event.start_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents == 2:
                    message = "a second document begins here"
                    raise refused("second-document", message, build.place(line, column), "write one document a file")
            elif isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                message = "anchors and aliases are not read"
                raise refused("yaml-alias", message, build.place(line, column), "define a group instead")
            elif isinstance(event, yaml.ScalarEvent):
                plain = event.implicit[0]
                absent = plain and event.value in _NULLS and not build.wants_key
                build.scalar(line, column, None if absent else event.value if plain else Quoted(event.value))
            elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
                build.start(line, column, mapping=isinstance(event, yaml.MappingStartEvent))
            elif isinstance(event, yaml.CollectionEndEvent):
                build.end()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = build.place(mark.line + 1, mark.column + 1) if mark else build.place(1, 1)
        raise refused("bad-yaml", f"this is not YAML: {error.problem or error.context}", place) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - (text.rfind("\n", 0, error.position) + 1) + 1
        place = build.place(line, max(column, 1))
        raise refused("bad-yaml", f"this is not YAML: {error.reason}", place) from None
    return build.root
