"""Turn columns of countries and subdivisions into places, and check every code."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from withhold import native
from withhold.bulk.cells import as_cells
from withhold.bulk.extras import pa, pc
from withhold.errors import Problem, SubjectTypeError, TerritoryError, ViewerError
from withhold.model import Viewer
from withhold.model.places import place_of
from withhold.territories import UNKNOWN_IN_DATA, countries

#: Marks a row whose codes do not form a place. No place has this number.
NOWHERE = 0xFFFF
#: Separates the codes of a list. No code contains it.
_SEPARATOR = "\x1f"
#: Stands for a null in a list.
_NULL = "\x1e"
#: The bytes of an offset or a view of each type of text.
_WIDTHS = {"string": 4, "large_string": 8, "string_view": 16}


class Located(NamedTuple):
    """The places of rows."""

    #: For each row, the bit of its place, or `NOWHERE`, as 16-bit integers.
    places: bytearray
    #: The rows without a place, in order, and a problem for each of the first of these rows.
    bad: Sequence[int]
    problems: list[Problem]


def check_codes(column: Any, name: str, *, lists: bool = False) -> None:
    """Raise `SubjectTypeError` for a column that has no codes. `lists` is whether a row may have a list of codes."""
    kind = column.type
    if lists and _is_list(kind):
        kind = kind.value_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if str(kind) not in (*_WIDTHS, "null"):
        more = ", or a list of them in each row" if lists else ""
        hint = f"pass a column of codes{more}"
        raise SubjectTypeError(Problem("not-a-column", f"`{name}` has the type `{column.type}`, not text", hint=hint))


def located(countries_: Any, subdivisions: Any, limit: int) -> Located:
    """Return the places of the rows of two Arrow arrays; `subdivisions` may be None. At most `limit` problems are made.

    A null is an unknown country, or no known subdivision. O(rows): about a nanosecond for a code of two letters without
    subdivisions, and some tens for any other.
    """
    places = bytearray(2 * len(countries_))
    if subdivisions is None and str(countries_.type) in _WIDTHS and _read_texts(countries_, places):
        return Located(places, (), [])
    indices, found, name = _countries(countries_) if subdivisions is None else _both(countries_, subdivisions)
    lookup = array("H", (NOWHERE if isinstance(place, Problem) else place for place in found))
    if _read_indices(indices, lookup, places):
        return Located(places, (), [])
    numbers = pa.Array.from_buffers(pa.uint16(), len(countries_), [None, pa.py_buffer(places)])
    bad = pc.indices_nonzero(pc.equal(numbers, NOWHERE)).to_pylist()
    problems = []
    for row in bad[:limit]:
        index = indices[row].as_py()
        problem = found[index] if 0 <= index < len(found) else None
        if not isinstance(problem, Problem):
            message = f"the index {index} is not in the dictionary of the column"
            problem = Problem("not-a-column", message, hint="check the array with `validate(full=True)`")
        problems.append(Problem(problem.code, problem.message, name, problem.hint))
    return Located(places, bad, problems)


def _read_texts(column: Any, places: bytearray) -> bool:
    """Set the places of rows with codes of two letters, and return whether all rows have one."""
    if not native.AVAILABLE:
        return False
    # There is a buffer of letters in two of the three layouts. It may be missing if all texts are empty.
    letters = None if str(column.type) == "string_view" else column.buffers()[2] or b""
    return not native.cells.places_of_texts(
        as_cells(column, _WIDTHS[str(column.type)]), letters, _two_letters(), places
    )


def _read_indices(indices: Any, lookup: array[int], places: bytearray) -> bool:
    """Set the places of all rows from their indices in a dictionary, and return whether all have one."""
    if native.AVAILABLE:
        return not native.cells.places_of_indices(as_cells(indices, indices.type.bit_width // 8), lookup, places)
    known = dict(enumerate(lookup)) | {None: 0}
    found = array("H", (known.get(index, NOWHERE) for index in indices.to_pylist()))
    places[:] = found.tobytes()
    return NOWHERE not in found


def _countries(column: Any) -> tuple[Any, list[int | Problem], str]:
    """Return the indices of the countries, the place for each index, and the name of the column."""
    encoded = _encoded(column)
    return encoded.indices, [place_number(country, ()) for country in encoded.dictionary.to_pylist()], "countries"


def _both(countries_: Any, subdivisions: Any) -> tuple[Any, list[int | Problem], str]:
    """Return the same for pairs of a country and the known subdivisions."""
    first, second = _encoded(countries_), _encoded(_joined(subdivisions))
    outer, inner = [None, *first.dictionary.to_pylist()], [None, *second.dictionary.to_pylist()]
    pairs = pc.add(pc.multiply(_from_one(first), len(inner)), _from_one(second)).dictionary_encode()
    found = []
    for pair in pairs.dictionary.to_pylist():
        codes = inner[pair % len(inner)]
        known = () if codes is None else tuple(code for code in codes.split(_SEPARATOR) if code != _NULL)
        found.append(place_number(outer[pair // len(inner)], known))
    return pairs.indices, found, "countries, subdivisions"


def _from_one(encoded: Any) -> Any:
    """Return the indices of a dictionary counted from 1, with 0 for null."""
    return pc.add(pc.fill_null(encoded.indices.cast(pa.int64()), -1), 1)


def _joined(subdivisions: Any) -> Any:
    """Return a column of text, in which the codes of a list are joined. An empty list becomes null."""
    if not _is_list(subdivisions.type):
        return subdivisions
    codes = pc.fill_null(subdivisions.values.cast(pa.string()), _NULL)
    joined = pc.binary_join(pa.ListArray.from_arrays(subdivisions.offsets.cast(pa.int32()), codes), _SEPARATOR)
    return pc.if_else(pc.fill_null(pc.equal(pc.list_value_length(subdivisions), 0), True), None, joined)


def _is_list(kind: Any) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _encoded(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        return column
    # Not all versions can encode views.
    return (column if str(column.type) in ("string", "large_string") else column.cast(pa.string())).dictionary_encode()


@lru_cache(maxsize=8192)
def place_number(country: str | None, subdivisions: tuple[str, ...]) -> int | Problem:
    """Return the bit of a place, or the problem with its codes.

    >>> place_number(None, ())
    0
    >>> print(place_number("XX", ()))
    `XX` is not a territory [unknown-territory]; leave it null if it is unknown
    """
    try:
        found = Viewer(country=country, subdivisions=subdivisions).location_key
    except (TerritoryError, ViewerError) as error:
        unknown = {code.strip().upper() for code in (country or "", *subdivisions)} & {*UNKNOWN_IN_DATA, ""}
        hint = "leave it null if it is unknown" if unknown else error.hint
        return Problem(error.code, error.problem.message, hint=hint)
    return place_of(found).bit_length() - 1


@cache
def _two_letters() -> array[int]:
    """Return the place of each code of two letters, by its bytes. All other codes are `NOWHERE`, and looked up by name."""
    known = array("H", [NOWHERE]) * (1 << 16)
    for country in countries():
        place = place_of((country, ())).bit_length() - 1
        for code in (country, country.lower()):
            known[ord(code[0]) | ord(code[1]) << 8] = place
    return known
