"""The codes of a table in a second, smaller form, as runs. A look-up waits for memory, so a small form is faster.

A run is a sequence of neighbouring networks with the same code. Its start and its code are stored in one number, so
that one read gets both. For IPv4 a run of /24s has 16 bits and belongs to a /16. For IPv6 a run of /48s has 32 bits and
belongs to a /24. IPv6 runs are in lines of 16, each of which a processor fetches at once. The first run of each line is
also in an array of its own, in which a search finds the line. If the code differs within a /24 or a /48, the run's code
is `DEEP`, and the networks of the table are searched.

The runs are built together with their `Lookup`, and no other code writes into them. An inconsistent table gives wrong
runs, but every index from one array of runs into another is valid, so a look-up need not check any.
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
    """Return the last index in [`low`, `high`) whose start is not above `value`, or `low` - 1."""
    cdef Py_ssize_t at = low - 1, left = high - low, half
    while left > 0:
        half = (left + 1) >> 1
        # A multiplication, because a branch would be unpredictable.
        at += half * (starts[at + half] <= value)
        left -= half
    return at


cdef struct Runs4:
    uint32_t[SLOTS + 1] index  # by the first 16 bits: the number of runs before the /16
    uint16_t* runs


cdef inline bint build_runs4(Runs4* to, const uint8_t* cells) noexcept nogil:
    """Build the runs of IPv4 from its cells. Return False if there is not enough memory."""
    cdef uint16_t* shrunk
    cdef Py_ssize_t top, cell, count = 0
    cdef int code, before
    # Enough even if all cells differ. Memory that is never written to costs nothing.
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
    uint32_t* slots  # for each page 257 numbers, by the next 8 bits: the number of lines before the /24
    uint32_t* firsts  # the first run of each line
    uint32_t* lines
    void* memory  # contains `lines`, which are aligned to a cache line of the processor


cdef inline bint build_runs6(Runs6* to, const uint64_t* starts, const uint8_t* codes, Py_ssize_t count) noexcept nogil:
    """Build the runs of IPv6 from its networks. Return False if there is not enough memory.

    If the starts do not ascend from 0, there are no runs.
    """
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
    # Each network gives at most two runs, and each /24 one more at the start of a line.
    limit = (pages * 256 + count // 8) * LINE
    to.slots = <uint32_t*> malloc(pages * 257 * sizeof(uint32_t))
    to.firsts = <uint32_t*> malloc(limit // LINE * sizeof(uint32_t))
    to.memory = malloc(limit * sizeof(uint32_t) + 63)
    if to.slots == NULL or to.firsts == NULL or to.memory == NULL:
        return False
    to.lines = <uint32_t*> ((<size_t> to.memory + 63) & ~<size_t> 63)
    at, slots = 0, to.slots
    # The limits were computed from the starts. They are checked, because other code may change the starts meanwhile.
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
                # Fill the line with copies of its last run that start at the end of the /24.
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
    """Append a run to those from `begin` on, unless the last of them has the same code.

    If two runs have the same start, the second one counts.
    """
    cdef Py_ssize_t at = used[0]
    if at < limit and (at == begin or runs[at - 1] & 0xFF != code):
        runs[at] = key << 8 | code
        used[0] = at + 1


cdef inline int find6(const Runs6* runs, uint64_t high) noexcept nogil:
    """Return the code of an address by its first 64 bits, or NOWHERE if there are no runs for it."""
    cdef uint32_t page = runs.pages[high >> 48], key = <uint32_t> (high >> 8) | 0xFF
    cdef const uint32_t* slots
    cdef Py_ssize_t line
    if page == 0:
        return NOWHERE
    slots = runs.slots + (page - 1) * <Py_ssize_t> 257 + (high >> 40 & 0xFF)
    line = last(runs.firsts, key, slots[0] + 1, slots[1]) * LINE
    return runs.lines[last(runs.lines, key, line + 1, line + LINE)] & 0xFF
