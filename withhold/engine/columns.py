"""Columns of ids in any form: lists, buffers and Arrow arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from withhold.errors import Problem, SubjectIdTypeError, quoted

_INTEGERS = tuple("bBhHiIlLqQnN")
#: The formats of `ctypes` arrays, which include the byte order. A memoryview cannot read their items.
_STATED = tuple(order + letter for order in "@=<" for letter in _INTEGERS)


def id_column(ids: Iterable[int], name: str) -> Sequence[int]:
    """Return a column as a list, a tuple, or a memoryview of 64-bit integers if it has such a buffer.

    The ids are not checked. Error messages call the column `name`. Raises `SubjectIdTypeError` for anything but a
    one-dimensional, ordered column.
    """
    if type(ids) is list or type(ids) is tuple:
        return ids
    given: Any = ids
    if hasattr(given, "filled") and hasattr(given, "mask"):  # the buffer of a masked numpy array has the masked values
        return _as_list(given.tolist(), name)
    try:
        buffer = memoryview(ids)  # type: ignore[arg-type]
    except (TypeError, ValueError, BufferError):
        return _as_list(ids, name)
    if buffer.ndim == 1 and buffer.format in _STATED:
        return _as_list(ids, name)
    if isinstance(buffer.obj, bytes | bytearray):  # otherwise each byte would be an id
        raise _not_a_column(f"`{name}` is {quoted(ids)}, which is text")
    if buffer.ndim == 1 and buffer.format.startswith((">", "!")):
        raise _not_a_column(
            f"`{name}` is a buffer of big-endian numbers", "convert it to the byte order of this machine"
        )
    if buffer.ndim != 1 or buffer.format not in _INTEGERS:
        raise _not_a_column(f"`{name}` is a buffer of `{buffer.format}` in {buffer.ndim} dimensions")
    return buffer if buffer.itemsize == 8 else buffer.tolist()


def _as_list(ids: Any, name: str) -> Sequence[int]:
    if isinstance(ids, AbstractSet | Mapping):
        raise _not_a_column(f"`{name}` is unordered")
    if getattr(ids, "ndim", 1) != 1:  # iterating over a pandas table gives its column names
        raise _not_a_column(f"`{name}` has {ids.ndim} dimensions")
    if type(ids).__module__.partition(".")[0] == "pyarrow" and hasattr(ids, "to_pylist"):
        values = _arrow_values(ids)
        return ids.to_pylist() if values is None else values
    try:
        each = iter(ids)
    except TypeError:
        raise _not_a_column(f"`{name}` is {quoted(ids)}, not a column") from None
    return list(each)


def _arrow_values(ids: Any) -> memoryview | None:
    """Return the buffer of a pyarrow array of 64-bit integers without nulls; None for any other array."""
    letter = {"int64": "q", "uint64": "Q"}.get(str(getattr(ids, "type", None)))
    if letter is None or ids.null_count or not hasattr(ids, "buffers") or ids.buffers()[1] is None:
        return None
    # The buffer may be longer than the array, which may start in the middle of it.
    values = memoryview(ids.buffers()[1]).cast("B")[8 * ids.offset : 8 * (ids.offset + len(ids))]
    return values.cast(letter)  # type: ignore[call-overload, no-any-return]


def _not_a_column(message: str, hint: str = "pass a sequence of ints") -> SubjectIdTypeError:
    return SubjectIdTypeError(Problem("id-not-an-int", message, hint=hint))
