# cython: language_level=3, freethreading_compatible=True, binding=False, auto_pickle=False
# cython: boundscheck=False, wraparound=False
"""The most frequent look-ups of `GeoIP` in C: strict parsing of an address, and a search in the flattened table.

An answer equals that of `withhold.location` from the same table. If there is no answer, the result is None, and the
Python path, which is the definition, handles the question from the start. So no code here handles error messages,
`ipaddress` objects, subclasses of `str`, 6to4 or policy.

A `Lookup` never changes after it is created, so threads share it without a lock. A look-up calls no Python and takes
about ten nanoseconds, so releasing the GIL would not pay off.
"""

cimport cython
from cpython.memoryview cimport PyMemoryView_GET_BUFFER
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memmove, memset

from types import MemberDescriptorType

from withhold.native.runs cimport CELLS, DEEP, NOWHERE, SLOTS, Runs4, Runs6, find4, find6, last, build_runs4, build_runs6

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const uint8_t* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    Py_ssize_t PY_SSIZE_T_MAX
    object PyType_GenericAlloc(PyTypeObject* cls, Py_ssize_t count)

cdef extern from "structmember.h":
    int T_OBJECT_EX
    ctypedef struct PyMemberDef:
        int type
        Py_ssize_t offset
    ctypedef struct PyMemberDescrObject:
        PyMemberDef* d_member

cdef enum:
    LONGEST = 45  # `0000:0000:0000:0000:0000:ffff:255.255.255.255`
    UNKNOWN = -1


# Parsing. In CPython a NUL follows the characters of a `str`, and a NUL is not part of an address. So a parser that
# stops at any unexpected character also stops at the end. Afterwards it tests whether it has reached the end.

cdef inline uint32_t digit(uint8_t letter) noexcept nogil:
    """Return the value of a decimal digit, or 10 or more for any other character."""
    return <uint8_t> (letter - c"0")


cdef uint8_t[256] NIBBLES
for _letter in range(256):
    # The value of a hexadecimal digit, or 16 for any other character. A table, because a branch between letters and
    # digits would be unpredictable for the processor.
    NIBBLES[_letter] = int(chr(_letter), 16) if chr(_letter) in "0123456789abcdefABCDEF" else 16


cdef bint read4(const uint8_t* at, const uint8_t* end, uint32_t* value) noexcept nogil:
    """Parse four decimal octets without leading zeros. Nothing may come before or after them."""
    cdef uint32_t octet, whole = 0
    cdef int part
    for part in range(4):
        if part:
            if at[0] != c".":
                return False
            at += 1
        octet = digit(at[0])
        if octet > 9:
            return False
        at += 1
        # After a 0 only a dot or the end may follow.
        while octet and digit(at[0]) < 10:
            octet = octet * 10 + digit(at[0])
            if octet > 255:
                return False
            at += 1
        whole = whole << 8 | octet
    value[0] = whole
    return at == end


cdef bint read6(const uint8_t* at, const uint8_t* end, uint64_t* halves) noexcept nogil:
    """Parse eight groups of hexadecimal digits.

    The last two may be an IPv4 address, and one `::` may replace groups.
    """
    cdef uint16_t[8] groups
    cdef uint32_t group, four
    cdef int count = 0, gap = -1
    cdef const uint8_t* begin
    if at[0] == c":":
        # A colon at the start must belong to `::`. The loop reads the second colon.
        at += 1
        if at[0] != c":":
            return False
    while at != end:
        if at[0] == c":":
            if gap >= 0:
                return False
            gap = count
            at += 1
            continue
        if count == 8:
            return False
        begin, group = at, 0
        if end - at >= 4 and NIBBLES[at[0]] | NIBBLES[at[1]] | NIBBLES[at[2]] | NIBBLES[at[3]] < 16:
            # Most groups have four digits.
            group = NIBBLES[at[0]] << 12 | NIBBLES[at[1]] << 8 | NIBBLES[at[2]] << 4 | NIBBLES[at[3]]
            at += 4
        else:
            # The group has fewer than four digits, or the text is almost at its end.
            while NIBBLES[at[0]] < 16:
                group = group << 4 | NIBBLES[at[0]]
                at += 1
        if at[0] == c".":
            if count > 6 or not read4(begin, end, &four):
                return False
            groups[count], groups[count + 1] = four >> 16, four & 0xFFFF
            count += 2
            break
        if at == begin:
            return False
        groups[count] = group
        count += 1
        if at == end:
            break
        # Neither a fifth digit nor a single colon at the end is allowed.
        if at[0] != c":" or at + 1 == end:
            return False
        at += 1
    if (count == 8) != (gap < 0):
        return False
    if gap >= 0:
        # Move the groups after the gap to the end.
        memmove(&groups[gap + 8 - count], &groups[gap], (count - gap) * sizeof(uint16_t))
        memset(&groups[gap], 0, (8 - count) * sizeof(uint16_t))
    halves[0] = <uint64_t> groups[0] << 48 | <uint64_t> groups[1] << 32 | <uint32_t> groups[2] << 16 | groups[3]
    halves[1] = <uint64_t> groups[4] << 48 | <uint64_t> groups[5] << 32 | <uint32_t> groups[6] << 16 | groups[7]
    return True


cdef inline int read(object text, uint64_t* halves) noexcept:
    """Parse an address into the high and low half of its number.

    Return the version, 4 or 6, or 0 for anything but an address as `str`.
    """
    cdef const uint8_t *at, *end
    cdef uint32_t four
    if type(text) is not str or not PyUnicode_IS_COMPACT_ASCII(text) or PyUnicode_GET_LENGTH(text) > LONGEST:
        return 0
    at = PyUnicode_1BYTE_DATA(text)
    end = at + PyUnicode_GET_LENGTH(text)
    if read4(at, end, &four):
        halves[0], halves[1] = 0, four
        return 4
    return 6 if read6(at, end, halves) else 0


def parse(text):
    """Return the version and number of an address, or None. Used to test the parser of the look-ups."""
    cdef uint64_t[2] halves
    cdef int version = read(text, halves)
    return (version, int(halves[0]) << 64 | int(halves[1])) if version else None


cdef Py_ssize_t slot(cls, str name) except -1:
    """Return the offset of a slot that can hold any object.

    Raise `TypeError` if `name` is not such a slot of a plain class.
    """
    cdef PyMemberDef* member
    found = cls.__dict__[name]
    if type(found) is MemberDescriptorType and found.__objclass__ is cls and cls.__base__ is object:
        member = (<PyMemberDescrObject*> <void*> found).d_member
        if member.type == T_OBJECT_EX:
            return member.offset
    raise TypeError("not the slot of a plain class")


cdef inline void fill(object made, Py_ssize_t offset, object value) noexcept:
    """Set an empty slot of a new object that no other code can access yet."""
    Py_INCREF(value)
    (<PyObject**> (<char*> <void*> made + offset))[0] = <PyObject*> value


@cython.final
cdef class Lookup:
    """The contents of a table of `withhold.location`: its runs of countries and, for `DEEP` runs, its own memory.

    Each look-up checks every index from the table against the size of the array that it points into. Two comparisons
    cost next to nothing, and they prevent reads outside the arrays if other code writes into them.
    """

    cdef object _location
    cdef Py_ssize_t _address, _country, _source  # offsets of the slots
    cdef tuple _countries
    cdef list _views
    cdef const uint8_t *_codes4, *_codes6
    cdef const uint32_t *_index4, *_starts4
    cdef const uint64_t *_starts6
    cdef const uint32_t *_index6[SLOTS]
    cdef Py_ssize_t _known, _count4, _count6
    cdef Runs4 _runs4
    cdef Runs6 _runs6

    def __cinit__(self, table, location):
        """Read a table and keep its memory.

        `locate` returns instances of the class `location`. Raise `ValueError` for unsuitable memory.
        """
        cdef Py_ssize_t top
        cdef object index, before = None
        cdef const uint8_t* cells4
        cdef bint built
        self._location = location
        self._address, self._country = slot(location, "_address"), slot(location, "_country")
        self._source = slot(location, "_source")
        self._countries = tuple(table.codes)
        self._known = len(self._countries)
        self._views = []
        cells4 = <const uint8_t*> self._hold(table.cells4, "B", CELLS, NULL)
        self._index4 = <const uint32_t*> self._hold(table.index4, "I", SLOTS + 1, NULL)
        # If there are more starts than codes, or the reverse, the surplus is not used.
        self._count4 = self._count6 = PY_SSIZE_T_MAX
        self._codes4 = <const uint8_t*> self._hold(table.codes4, "B", 1, &self._count4)
        self._starts4 = <const uint32_t*> self._hold(table.starts4, "I", 1, &self._count4)
        self._codes6 = <const uint8_t*> self._hold(table.codes6, "B", 1, &self._count6)
        self._starts6 = <const uint64_t*> self._hold(table.starts6, "Q", 1, &self._count6)
        for top, index in enumerate(tuple(table.index6)[:SLOTS]):
            if index is not None and index is before:
                # Thousands of neighbours share one index.
                self._index6[top] = self._index6[top - 1]
            elif index is not None:
                self._index6[top] = <const uint32_t*> self._hold(index, "I", SLOTS + 1, NULL)
            before = index
        with nogil:
            built = build_runs4(&self._runs4, cells4) and build_runs6(&self._runs6, self._starts6, self._codes6, self._count6)
        if not built:
            raise MemoryError

    def __dealloc__(self):
        free(self._runs4.runs)
        free(self._runs6.slots)
        free(self._runs6.firsts)
        free(self._runs6.memory)

    cdef const void* _hold(self, memory, str kind, Py_ssize_t least, Py_ssize_t* count) except NULL:
        """Return the address of `memory`, and lower `count` to its length. The memory cannot be resized from then on."""
        cdef object view = memoryview(memory)
        cdef const void* begin = PyMemoryView_GET_BUFFER(view).buf
        cdef Py_ssize_t size = {"B": 1, "I": 4, "Q": 8}[kind], length = len(view)
        plain = view.ndim == 1 and view.format == kind and view.itemsize == size and view.c_contiguous
        if not plain or length < least or <size_t> begin % size:
            raise ValueError("not the memory of a table")
        self._views.append(view)
        if count != NULL:
            count[0] = min(count[0], length)
        return begin

    cdef inline int _code(self, object address) noexcept:
        """Return the number of the country, or UNKNOWN if the question cannot be answered here."""
        cdef uint64_t[2] halves
        cdef uint32_t value
        cdef const uint32_t* index
        cdef Py_ssize_t at
        cdef int code, version = read(address, halves)
        if version == 4:
            value = <uint32_t> halves[1]
            code = find4(&self._runs4, value)
            if code == DEEP:
                index = self._index4 + (value >> 16)
                if not index[0] <= index[1] <= self._count4:
                    return UNKNOWN
                at = last(self._starts4, value, index[0], index[1])
                code = self._codes4[at] if at >= 0 else UNKNOWN
        elif version == 6:
            code = find6(&self._runs6, halves[0])
            if code == DEEP or code == NOWHERE:
                index = self._index6[halves[0] >> 48]
                if index == NULL:
                    return UNKNOWN
                index += halves[0] >> 32 & 0xFFFF
                if not index[0] <= index[1] <= self._count6:
                    return UNKNOWN
                at = last(self._starts6, halves[0], index[0], index[1])
                code = self._codes6[at] if at >= 0 else UNKNOWN
        else:
            return UNKNOWN
        # `DEEP` and `ELSEWHERE` are not numbers of countries.
        return code if code < self._known else UNKNOWN

    def locate(self, address, source, /):
        """Return the location of `address`, or None if it cannot be answered here.

        The location looks up its other attributes in `source`.
        """
        cdef int code = self._code(address)
        if code < 0:
            return None
        # The same as `Location()` and three assignments, without the calls. `Location` has no `__init__`.
        cdef object location = PyType_GenericAlloc(<PyTypeObject*> self._location, 0)
        fill(location, self._address, address)
        fill(location, self._country, self._countries[code])
        fill(location, self._source, source)
        return location

    def country(self, address):
        """Return the country of `address`, or None if it has none or cannot be answered here."""
        cdef int code = self._code(address)
        return self._countries[code] if code >= 0 else None
