"""Read many lines of a list of ids at once, if all have the usual form. A million ids take a third of the time."""

from __future__ import annotations

from collections.abc import Sequence

from withhold.model.ids import MAX_ID

# A word that marks the end of each line. No kind and no id is equal to it.
_END = ";"


def columns_of(lines: Sequence[str]) -> tuple[list[str], list[int]] | None:
    """Return the kinds and the ids of lines `kind,id`. Return None if any line has another form.

    >>> columns_of(["account,17\\n", "tweet,20\\r\\n"]), columns_of(["account,17,\\n"]), columns_of(['account,"17"\\n'])
    ((['account', 'tweet'], [17, 20]), None, None)
    """
    words = _text(lines).replace("\n", f",{_END},").split(",")
    kinds, ends = words[:-1:3], words[2::3]
    # Each line gives one end, so if every third word is an end, each line has two words.
    if len(words) != 3 * len(lines) + 1 or ends.count(_END) != len(lines) or words[-1]:
        return None
    found = _numbers(words[1::3])
    return None if found is None or not {"account", "tweet"}.issuperset(kinds) else (kinds, found)


def ids_of(lines: Sequence[str]) -> list[int] | None:
    """Return the ids of lines with one id each. Return None if any line has another form.

    >>> ids_of(["17\\n", "20\\n"]), ids_of(["17\\n", "\\n"]), ids_of(["9223372036854775808\\n"])
    ([17, 20], None, None)
    """
    words = _text(lines).split("\n")
    return None if len(words) != len(lines) + 1 or words.pop() else _numbers(words)


def _text(lines: Sequence[str]) -> str:
    return "".join(lines).replace("\r\n", "\n")


def _numbers(texts: Sequence[str]) -> list[int] | None:
    digits = "".join(texts)
    if not (digits.isascii() and digits.isdigit() and min(map(len, texts)) > 0 and max(map(len, texts)) <= 19):
        return None
    numbers = list(map(int, texts))
    return numbers if min(numbers) > 0 and max(numbers) <= MAX_ID else None
