# cython: language_level=3, freethreading_compatible=True, binding=False, auto_pickle=False
# cython: boundscheck=False, wraparound=False
"""The most frequent requests of `withhold.location.Resolver` in C: an IPv4 viewer behind trusted proxies, or without any.

Answers equal those of `withhold.location.fast_path`, from the same tables. In all other cases the result is None, and the
Python path, which is the definition, handles the request from the start. So nothing here handles error messages, IPv6,
ports, repeated headers, WSGI environs or unusual objects.

A `FastPath` never changes after it is created, so threads share it without a lock.
"""

cimport cython
from cpython.memoryview cimport PyMemoryView_GET_BUFFER
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_INCREF
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memchr

from array import array
from types import MemberDescriptorType

from withhold.native.index cimport withhold_id

cdef extern from "Python.h":
    bint PyUnicode_IS_COMPACT_ASCII(object text)
    const uint8_t* PyUnicode_1BYTE_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    const uint8_t* PyBytes_AS_STRING(object text)
    Py_ssize_t PyBytes_GET_SIZE(object text)
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
    DEEP = 254  # as in `withhold.location.table`
    ELSEWHERE = 255
    CELLS = 1 << 24
    SLOTS = 1 << 16
    SHOWN = 24  # the longest prefix that a source may keep
    LONGEST = 64  # longer tokens are not addresses


# In CPython a NUL follows the characters of a `str` and of `bytes`, and neither a NUL nor a separator of tokens is part of an
# address. So a parser that stops at any unexpected character also stops at the end. It tests at last whether it reached the end.

cdef inline uint32_t digit(uint8_t letter) noexcept nogil:
    """Return the value of a decimal digit, or 10 or more for any other character."""
    return <uint8_t> (letter - c"0")


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


def parse(text):
    """Return the number of an IPv4 address, or None. For tests of the parser that requests use."""
    cdef Text read
    cdef uint32_t value
    return value if characters(text, &read) and read4(read.at, read.at + read.length, &value) else None


cdef struct Text:
    const uint8_t* at
    Py_ssize_t length


cdef inline bint characters(object given, Text* text) noexcept:
    """Read bytes, or ASCII text. Return whether `given` is one of these."""
    if type(given) is bytes:
        text.at, text.length = PyBytes_AS_STRING(given), PyBytes_GET_SIZE(given)
        return True
    if type(given) is str and PyUnicode_IS_COMPACT_ASCII(given):
        text.at, text.length = PyUnicode_1BYTE_DATA(given), PyUnicode_GET_LENGTH(given)
        return True
    return False


cdef inline bint is_named(Text name, Text header) noexcept nogil:
    """Return whether a name is that of a header, which is in lower case."""
    cdef Py_ssize_t at
    cdef uint8_t letter
    if name.length != header.length:
        return False
    for at in range(name.length):
        letter = name.at[at]
        if letter != header.at[at] and (not c"A" <= letter <= c"Z" or letter + 32 != header.at[at]):
            return False
    return True


cdef inline bint is_usual(Text name) noexcept nogil:
    """Return whether a name is that of a header, and not of a variable of an environ."""
    if not name.length:
        return True
    if name.at[0] <= 32 or name.at[0] >= 127 or name.at[name.length - 1] == c":":
        return False
    return name.length < 5 or name.at[4] != c"_" or (name.at[0] | 32) != c"h" or (name.at[1] | 32) != c"t"


def lines(pairs):
    """Return the values of headers by their names in lower case, or None if `withhold.location.headers` must read them.

    It must read anything but a list or a tuple of pairs of usual names and values. If there are any, a name must have a hyphen.
    """
    cdef object pair, name, value, before
    cdef Text read
    cdef bint hyphen = False
    cdef dict found = {}
    if type(pairs) is not list and type(pairs) is not tuple:
        return None
    for pair in pairs:
        if type(pair) is not tuple or len(<tuple> pair) != 2:
            return None
        name, value = (<tuple> pair)[0], (<tuple> pair)[1]
        if not characters(name, &read) or not is_usual(read) or not (type(value) is bytes or type(value) is str):
            return None
        hyphen = hyphen or memchr(read.at, c"-", read.length) != NULL
        name = ((<bytes> name).decode("latin-1") if type(name) is bytes else name).lower()
        before = found.get(name)
        if before is None:
            found[name] = [value]
        else:
            (<list> before).append(value)
    return found if hyphen or not found else None


cdef inline Py_ssize_t last(const uint32_t* starts, uint32_t value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """Return the last index from `low` to before `high` whose start is not above `value`, or `low` - 1."""
    cdef Py_ssize_t at = low - 1, left = high - low, half
    while left > 0:
        half = (left + 1) >> 1
        # A multiplication, because a branch would be unpredictable.
        at += half * (starts[at + half] <= value)
        left -= half
    return at


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
cdef class FastPath:
    """The contents of a `withhold.location.fast_path.FastPath`.

    Each look-up checks every index from the table against the size of the array that it points into. The comparisons cost next
    to nothing, and other code that writes into the arrays cannot cause reads outside of them.
    """

    cdef object _viewer, _text, _peers, _cdn_keys
    cdef Py_ssize_t _account_id, _location_key, _source  # offsets of the slots
    cdef tuple _by_code, _by_number
    cdef list _views
    cdef Text _forwarded, _country, _region
    cdef int _hops
    cdef bint _single, _cdn_first, _by_country, _has_database
    cdef const uint32_t *_firsts, *_lasts, *_index4, *_starts4, *_numbers4
    cdef const uint8_t *_cells4, *_prefixes4
    cdef Py_ssize_t _trusted, _count4

    def __cinit__(self, path, viewer):
        """Take over a path. Its requests return instances of the class `viewer`. Raise `ValueError` for unsuitable memory."""
        self._viewer = viewer
        self._account_id, self._location_key = slot(viewer, "_account_id"), slot(viewer, "_location_key")
        self._source = slot(viewer, "_source")
        self._text, self._peers, self._cdn_keys = path.text, path.peers, path.cdn_keys
        self._single, self._cdn_first, self._hops = path.single, path.cdn_first, min(path.proxies.max_hops, 1 << 30)
        self._views = []
        self._forwarded = self._name(path.proxies.header)
        self._country = self._name(path.cdn.country_header if path.cdn else None)
        self._region = self._name(path.cdn.region_header if path.cdn else None)
        self._trusted = self._count4 = PY_SSIZE_T_MAX
        firsts, lasts = path.proxies.ranges[4]
        self._firsts = <const uint32_t*> self._hold(array("I", firsts), "I", 0, &self._trusted)
        self._lasts = <const uint32_t*> self._hold(array("I", lasts), "I", 0, &self._trusted)
        self._by_code, self._by_number = tuple(path.keys_by_code), tuple(path.keys_by_number)
        self._by_country = path.by_country
        self._has_database = path.database is not None
        if self._has_database:
            table = path.database.table
            run = table.networks.v4
            self._cells4 = <const uint8_t*> self._hold(table.cells4, "B", CELLS, NULL)
            self._index4 = <const uint32_t*> self._hold(table.index4, "I", SLOTS + 1, NULL)
            self._starts4 = <const uint32_t*> self._hold(run.starts, "I", 1, &self._count4)
            self._numbers4 = <const uint32_t*> self._hold(run.numbers, "I", 1, &self._count4)
            self._prefixes4 = <const uint8_t*> self._hold(run.prefixes, "B", 1, &self._count4)

    cdef Text _name(self, name) except *:
        """Return the name of a header, or for None a name that no header has."""
        cdef Text read = Text(NULL, -1)
        if name is not None:
            self._views.append(name)
            if not characters(name, &read):
                raise ValueError("not the name of a header")
        return read

    cdef const void* _hold(self, memory, str kind, Py_ssize_t least, Py_ssize_t* count) except NULL:
        """Return the address of `memory`, and lower `count` to its length. The memory cannot be resized from then on."""
        cdef object view = memoryview(memory)
        cdef const void* begin = PyMemoryView_GET_BUFFER(view).buf
        cdef Py_ssize_t size = {"B": 1, "I": 4}[kind], length = len(view)
        plain = view.ndim == 1 and view.format == kind and view.itemsize == size and view.c_contiguous
        if not plain or length < least or (length and <size_t> begin % size):
            raise ValueError("not the memory of a table")
        self._views.append(view)
        if count != NULL:
            count[0] = min(count[0], length)
        return begin

    cdef inline bint _trusts(self, uint32_t value) noexcept nogil:
        cdef Py_ssize_t at = last(self._firsts, value, 0, self._trusted)
        return at >= 0 and value <= self._lasts[at]

    cdef bint _walk(self, Text chain, uint32_t* value) noexcept nogil:
        """Read the address of the viewer from the right of a chain. Return whether it was found."""
        cdef const uint8_t *begin, *first, *after, *end = chain.at + chain.length
        cdef int hop
        for hop in range(self._hops):
            begin = end
            while begin != chain.at and (self._single or begin[-1] != c","):
                begin -= 1
                if end - begin > LONGEST:
                    return False
            first, after = begin, end
            while first != after and (first[0] == c" " or first[0] == c"\t"):
                first += 1
            while first != after and (after[-1] == c" " or after[-1] == c"\t"):
                after -= 1
            if first == after or not read4(first, after, value):
                return False
            if not self._trusts(value[0]):
                # The addresses from 240.0.0.0 on stand in for IPv6 addresses.
                return value[0] >> 28 != 0xF
            if begin == chain.at:
                return False
            end = begin - 1
        return False

    cdef object _located(self, uint32_t value, long* number):
        """Return the location of an address, or None. Set `number` to that of its place if its network is smaller than a /24."""
        cdef const uint32_t* index
        cdef Py_ssize_t at
        cdef uint8_t cell = self._cells4[value >> 8]
        if cell == ELSEWHERE:
            return None
        if cell != DEEP and self._by_country:
            return self._by_code[cell] if cell < len(self._by_code) else None
        index = self._index4 + (value >> 16)
        if not index[0] <= index[1] <= self._count4:
            return None
        at = last(self._starts4, value, index[0], index[1])
        if at < 0 or self._numbers4[at] >= <size_t> len(self._by_number):
            return None
        if self._prefixes4[at] > SHOWN:
            number[0] = self._numbers4[at]
        return self._by_number[self._numbers4[at]]

    def viewer(self, peer, headers, account_id, account_country, /):
        """Return the viewer who sent a request, or None if it cannot be answered here."""
        cdef object pair, name, value, forwarded = None, code = None, region = None, key = None, named, made
        cdef Text read, chain
        cdef uint32_t address = 0
        cdef long number = -1
        cdef bint hyphen = False, trusted
        cdef object pairs
        if (account_id is not None and not withhold_id(account_id)) or not (account_country is None or type(account_country) is str):
            return None
        if type(peer) is str and characters(peer, &read) and read4(read.at, read.at + read.length, &address):
            trusted = self._trusts(address)
        elif peer in self._peers:
            trusted = True
        else:
            return None

        if type(headers) is dict:
            pairs = list((<dict> headers).items())
        elif type(headers) is list or type(headers) is tuple:
            pairs = headers
        else:
            return None
        for pair in pairs:
            if type(pair) is not tuple or len(<tuple> pair) != 2:
                return None
            name, value = (<tuple> pair)[0], (<tuple> pair)[1]
            if not characters(name, &read) or not is_usual(read) or not (type(value) is bytes or type(value) is str):
                return None
            if is_named(read, self._forwarded):
                if forwarded is not None:
                    return None
                forwarded = value
            elif is_named(read, self._country):
                if code is not None:
                    return None
                code = value
            elif is_named(read, self._region):
                if region is not None:
                    return None
                region = value
            elif not hyphen:
                hyphen = memchr(read.at, c"-", read.length) != NULL
        if forwarded is None and code is None and region is None and not hyphen:
            # Without a hyphen in any name, these may be no headers at all.
            return None

        if trusted:
            if not characters(forwarded, &chain) or not self._walk(chain, &address):
                return None
            if code is None:
                region = None  # it means nothing, and may be any text
        else:
            code = region = None
        if self._has_database:
            key = self._located(address, &number)
            if key is None:
                return None
        if code is not None:
            named = self._cdn_keys[code, region]
            if named is None:
                return None
            # If the winner has no subdivision, the other signal supplies it if it agrees on the country.
            if key is None or ((<tuple> named)[0] == (<tuple> key)[0] and not (<tuple> key)[1]):
                key = named
            elif self._cdn_first and ((<tuple> named)[1] or (<tuple> named)[0] != (<tuple> key)[0]):
                key = named
        if key is None:
            return None
        # The same as `Viewer.located`, without the call.
        made = PyType_GenericAlloc(<PyTypeObject*> self._viewer, 0)
        fill(made, self._account_id, account_id)
        fill(made, self._location_key, key)
        fill(made, self._source, (self._text, 4, address & <uint32_t> 0xFFFFFF00, number, code, region, account_country))
        return made
