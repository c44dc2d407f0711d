"""Columns of ids, in whatever form they come: lists, buffers, Arrow arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from withhold.errors import Problem, SubjectIdTypeError

_INTEGERS = tuple("bBhHiIlLqQnN")
_HINT = "ids are a row of integers"


def ids_in_a_row(ids: Iterable[int], name: str) -> Sequence[int]:
    """Return a column as a list, a tuple, or a buffer of 64-bit integers where it is one; raises `SubjectIdTypeError`.

    The ids are not checked. `name` is what the error calls the column.
    """
    if isinstance(ids, list | tuple):
        return ids
    try:
        buffer = memoryview(ids)  # type: ignore[arg-type]
    except TypeError:
        if isinstance(ids, AbstractSet | Mapping):
            raise SubjectIdTypeError(Problem("id-not-an-int", f"{name} have no order", hint=_HINT)) from None
        arrow = _arrow(ids)
        return list(ids) if arrow is None else arrow
    if buffer.ndim != 1 or buffer.format not in _INTEGERS:
        message = f"{name} is a buffer of `{buffer.format}` in {buffer.ndim} dimensions"
        raise SubjectIdTypeError(Problem("id-not-an-int", message, hint=_HINT))
    return buffer if buffer.itemsize == 8 else buffer.tolist()


def _arrow(ids: object) -> memoryview | None:
    """Return the values of a pyarrow array of 64-bit integers without nulls, where they are; None for anything else."""
    if type(ids).__module__.partition(".")[0] != "pyarrow" or getattr(ids, "null_count", None) != 0:
        return None
    letter = {"int64": "q", "uint64": "Q"}.get(str(getattr(ids, "type", "")))
    if letter is None or not hasattr(ids, "buffers"):
        return None
    values = memoryview(ids.buffers()[1]).cast("B").cast(letter)  # type: ignore[call-overload]
    return values[ids.offset : ids.offset + len(ids)]  # type: ignore[attr-defined, arg-type, no-any-return]
