"""Columns of ids, in whatever form they come: lists, buffers, Arrow arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from withhold.errors import Problem, SubjectIdTypeError, quoted

_INTEGERS = tuple("bBhHiIlLqQnN")
#: What arrays of `ctypes` call them, which a memoryview does not read.
_STATED = tuple(order + letter for order in "@=<" for letter in _INTEGERS)


def ids_in_a_row(ids: Iterable[int], name: str) -> Sequence[int]:
    """Return a column as a list, a tuple, or a buffer of 64-bit integers where it is one; raises `SubjectIdTypeError`.

    The ids are not checked. `name` is what the error calls the column.
    """
    if type(ids) is list or type(ids) is tuple:
        return ids
    given: Any = ids
    if hasattr(given, "filled") and hasattr(given, "mask"):  # as a buffer, numpy's has what is under the mask
        return _as_list(given.tolist(), name)
    try:
        buffer = memoryview(ids)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return _as_list(ids, name)
    if buffer.ndim == 1 and buffer.format in _STATED:
        return _as_list(ids, name)
    if isinstance(buffer.obj, bytes | bytearray):  # each of its letters would be an id
        raise _no_row(f"`{name}` is {quoted(ids)}, which is text")
    if buffer.ndim == 1 and buffer.format.startswith((">", "!")):
        raise _no_row(f"`{name}` is a buffer of big-endian numbers", "convert it to the byte order of this machine")
    if buffer.ndim != 1 or buffer.format not in _INTEGERS:
        raise _no_row(f"`{name}` is a buffer of `{buffer.format}` in {buffer.ndim} dimensions")
    return buffer if buffer.itemsize == 8 else buffer.tolist()


def _as_list(ids: Any, name: str) -> Sequence[int]:
    if isinstance(ids, AbstractSet | Mapping):
        raise _no_row(f"`{name}` have no order")
    if getattr(ids, "ndim", 1) != 1:  # a table of pandas gives its names one by one
        raise _no_row(f"`{name}` has {ids.ndim} dimensions")
    if type(ids).__module__.partition(".")[0] == "pyarrow" and hasattr(ids, "to_pylist"):
        values = _arrow_values(ids)
        return ids.to_pylist() if values is None else values
    try:
        each = iter(ids)
    except TypeError:
        raise _no_row(f"`{name}` is {quoted(ids)}") from None
    return list(each)


def _arrow_values(ids: Any) -> memoryview | None:
    """Return the values of a pyarrow array of 64-bit integers without nulls, where they are; None for any other."""
    letter = {"int64": "q", "uint64": "Q"}.get(str(getattr(ids, "type", None)))
    if letter is None or ids.null_count or not hasattr(ids, "buffers") or ids.buffers()[1] is None:
        return None
    # Its memory may be longer than the array, which may begin within it.
    values = memoryview(ids.buffers()[1]).cast("B")[8 * ids.offset : 8 * (ids.offset + len(ids))]
    return values.cast(letter)  # type: ignore[call-overload, no-any-return]


def _no_row(message: str, hint: str = "ids are a row of integers") -> SubjectIdTypeError:
    return SubjectIdTypeError(Problem("id-not-an-int", message, hint=hint))
