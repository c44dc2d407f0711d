"""The codes of a table once more, run by run: a look-up waits for memory, so the less there is of it the better.

A run is of neighbours with the same code. It is one number, where it begins and its code, so that one read finds both.
IPv4 has 16 bits for each run of /24s, by the /16. IPv6 has 32 bits for each run of /48s, by the /24, in lines of 16:
a processor fetches that many at once. The first of each line stands in a row of its own too, to find the line. Where
the answer differs within a /24 or a /48 the code is `DEEP`, and the networks are searched.

All this is made with the `Lookup` it belongs to, which nobody else writes into: a table that is at odds with itself
gives wrong runs, but each index among them is right, and a look-up compares none of them.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc

cdef enum:
    DEEP = 254  # as in `withhold.location.table`
    CELLS = 1 << 24
    SLOTS = 1 << 16
    LINE = 16
    NOWHERE = -1

ctypedef fused Start:
    uint16_t
    uint32_t
    uint64_t


cdef inline Py_ssize_t last(const Start* starts, Start value, Py_ssize_t low, Py_ssize_t high) noexcept nogil:
    """Return the last index from `low` to before `high` whose start is not above `value`, or `low` - 1."""
    cdef Py_ssize_t at = low - 1, left = high - low, half
    while left > 0:
        half = (left + 1) >> 1
        # A product, as a processor could not foresee the branch.
        at += half * (starts[at + half] <= value)
        left -= half
    return at


cdef struct Runs4:
    uint32_t[SLOTS + 1] index  # by the first 16 bits: how many runs begin before the /16
    uint16_t* runs


cdef inline bint lay4(Runs4* to, const uint8_t* cells) noexcept nogil:
    """Lay out the cells of IPv4; False if there is no memory."""
    cdef uint16_t* shrunk
    cdef Py_ssize_t top, cell, count = 0
    cdef int code, before
    # Room for cells that all differ: memory that is never written to costs nothing.
    to.runs = <uint16_t*> malloc(CELLS * sizeof(uint16_t))
    if to.runs == NULL:
        return False
    for top in range(SLOTS):
        to.index[top] = count
        before = NOWHERE
        for cell in range(256):
            code = cells[top << 8 | cell]
            if code != before:
                to.runs[count] = <uint16_t> (cell << 8 | code)
                count += 1
                before = code
    to.index[SLOTS] = count
    shrunk = <uint16_t*> realloc(to.runs, count * sizeof(uint16_t))
    if shrunk != NULL:
        to.runs = shrunk
    return True


cdef inline int find4(const Runs4* runs, uint32_t value) noexcept nogil:
    """Return the code of an address."""
    cdef const uint32_t* index = runs.index + (value >> 16)
    return runs.runs[last(runs.runs, <uint16_t> (value | 0xFF), index[0] + 1, index[1])] & 0xFF


cdef struct Runs6:
    uint32_t[SLOTS] pages  # by the first 16 bits: the number of a page, from 1; 0 if no network begins in the /16
    uint32_t* slots  # page after page, by the next 8 bits: how many lines are before the /24; 257 of them
    uint32_t* firsts  # of each line
    uint32_t* lines
    void* memory  # in which `lines` begin where a line of the processor's does


cdef inline bint lay6(Runs6* to, const uint64_t* starts, const uint8_t* codes, Py_ssize_t count) noexcept nogil:
    """Lay out the networks of IPv6, or nothing if they do not ascend from 0; False if there is no memory."""
    cdef Py_ssize_t at = 0, pages = 1, limit, used = 0, begin, line
    cdef uint64_t top, slot, cell
    cdef uint32_t* slots
    cdef uint8_t code = 0
    if starts[0]:
        return True
    for at in range(1, count):
        if starts[at] <= starts[at - 1]:
            return True
        pages += starts[at] >> 48 != starts[at - 1] >> 48
    # A network makes two runs at most, and each /24 one more, which begins a line.
    limit = (pages * 256 + count // 8) * LINE
    to.slots = <uint32_t*> malloc(pages * 257 * sizeof(uint32_t))
    to.firsts = <uint32_t*> malloc(limit // LINE * sizeof(uint32_t))
    to.memory = malloc(limit * sizeof(uint32_t) + 63)
    if to.slots == NULL or to.firsts == NULL or to.memory == NULL:
        return False
    to.lines = <uint32_t*> ((<size_t> to.memory + 63) & ~<size_t> 63)
    at, slots = 0, to.slots
    # The limits were right when the starts were counted, and hold if somebody writes into them meanwhile.
    while at < count and slots < to.slots + pages * 257:
        top = starts[at] >> 48
        for slot in range(top << 8, (top + 1) << 8):
            if used == limit:
                return True
            begin = used
            slots[slot & 0xFF] = <uint32_t> (used // LINE)
            add(to.lines, begin, &used, limit, 0, code)
            while at < count and starts[at] >> 40 == slot:
                cell = starts[at] >> 16
                code = codes[at]
                if starts[at] & 0xFFFF == 0 and (at + 1 == count or starts[at + 1] >> 16 != cell):
                    add(to.lines, begin, &used, limit, cell & 0xFFFFFF, code)
                    at += 1
                    continue
                add(to.lines, begin, &used, limit, cell & 0xFFFFFF, DEEP)
                while at < count and starts[at] >> 16 == cell:
                    code = codes[at]
                    at += 1
                if (cell + 1) & 0xFFFFFF:
                    add(to.lines, begin, &used, limit, (cell + 1) & 0xFFFFFF, code)
            while used % LINE:
                # The rest of a line says the same as its last run, from the end of the /24.
                to.lines[used] = to.lines[used - 1] | <uint32_t> 0xFFFFFF00
                used += 1
        slots[256] = <uint32_t> (used // LINE)
        for line in range(slots[0], slots[256]):
            to.firsts[line] = to.lines[line * LINE]
        slots += 257
        to.pages[top] = <uint32_t> ((slots - to.slots) // 257)
    return True


cdef inline void add(
    uint32_t* runs, Py_ssize_t begin, Py_ssize_t* used, Py_ssize_t limit, uint32_t key, uint8_t code
) noexcept nogil:
    """Append a run to those from `begin`, unless it says the same. Of two that begin together the second counts."""
    cdef Py_ssize_t at = used[0]
    if at < limit and (at == begin or runs[at - 1] & 0xFF != code):
        runs[at] = key << 8 | code
        used[0] = at + 1


cdef inline int find6(const Runs6* runs, uint64_t high) noexcept nogil:
    """Return the code of an address by its first 64 bits, or NOWHERE if it is not laid out."""
    cdef uint32_t page = runs.pages[high >> 48], key = <uint32_t> (high >> 8) | 0xFF
    cdef const uint32_t* slots
    cdef Py_ssize_t line
    if page == 0:
        return NOWHERE
    slots = runs.slots + (page - 1) * <Py_ssize_t> 257 + (high >> 40 & 0xFF)
    line = last(runs.firsts, key, slots[0] + 1, slots[1]) * LINE
    return runs.lines[last(runs.lines, key, line + 1, line + LINE)] & 0xFF
