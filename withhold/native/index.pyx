# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# cython: binding=False, auto_pickle=False
"""Read and build the table of a snapshot in C. `withhold.snapshot` does the same in Python, and explains it."""

from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport qsort

from withhold.errors import Problem, SnapshotError

# Buckets that are longer than this are sorted by Python, because insertion sort takes quadratic time.
cdef enum:
    LONG = 64
    TURN = 1 << 14  # other threads may run after every so many buckets


#: For each format of a number, its size in bytes and the equivalent formats.
cdef dict KINDS = {"I": (4, b"IL"), "Q": (8, b"QL"), "q": (8, b"ql")}


cdef class Numbers:
    """The numbers in a buffer, which cannot be resized while this exists.

    A typed memoryview of Cython would do the same, but a module that uses one takes ten times as long to compile.
    """

    def __cinit__(self, memory, str kind not None, *, bint writable=False):
        PyObject_GetBuffer(memory, &self._buffer, PyBUF_ND | PyBUF_FORMAT | (PyBUF_WRITABLE if writable else 0))
        cdef bytes given = self._buffer.format
        size, formats = KINDS[kind]
        if self._buffer.ndim != 1 or self._buffer.itemsize != size or len(given) != 1 or given not in formats:
            raise ValueError(f"the buffer is not one-dimensional with numbers of format {kind}")
        self.first, self.count = self._buffer.buf, self._buffer.shape[0]

    def __dealloc__(self):
        PyBuffer_Release(&self._buffer)


cdef class NativeTable:
    """A table that maps an id to its posting. It is immutable, so threads may share it, and keeps its buffers alive."""

    def __cinit__(self, words_, starts_, ids_, postings_):
        cdef Numbers words = Numbers(words_, "Q"), starts = Numbers(starts_, "I")
        cdef Numbers ids = Numbers(ids_, "q"), postings = Numbers(postings_, "I")
        if words.count == 0 or starts.count != words.count + 1 or postings.count != ids.count:
            raise ValueError("the parts of a table do not fit together")
        self._held = (words, starts, ids, postings)
        self.layout.words = <const uint64_t *>words.first
        self.layout.starts = <const uint32_t *>starts.first
        self.layout.ids = <const int64_t *>ids.first
        self.layout.postings = <const uint32_t *>postings.first
        self.layout.buckets = words.count
        self.layout.count = ids.count

    def __len__(self):
        return self.layout.count

    def find(self, id_, /):
        """Return the posting of an id, or None if no rule names it."""
        cdef int64_t number = withhold_id(id_)
        cdef int64_t found = find(&self.layout, number) if number else ABSENT
        if found == DAMAGED:
            raise SnapshotError(Problem("damaged-snapshot", "a bucket of the table points outside the table", None, 'open it with `verify="full"`'))
        return None if found == ABSENT else found


def sort_ids(ids_):
    """Sort ids in place, move one copy of each to the front, and return the number of distinct ids. O(n log n)."""
    cdef Numbers held = Numbers(ids_, "q", writable=True)
    cdef int64_t *ids = <int64_t *>held.first
    cdef size_t at, kept = 0, count = held.count
    with nogil:
        if count:
            qsort(ids, count, sizeof(int64_t), _compare)
        for at in range(count):
            if kept == 0 or ids[at] != ids[kept - 1]:
                ids[kept] = ids[at]
                kept += 1
    return kept


cdef int _compare(const void *one, const void *other) noexcept nogil:
    cdef int64_t a = (<const int64_t *>one)[0], b = (<const int64_t *>other)[0]
    return (a > b) - (a < b)


def misfit(words_, starts_, ids_):
    """Return the index of the first invalid or misplaced id, or -1 if there is none.

    An id is misplaced if a look-up would not find it in its bucket. `starts` must ascend to the number of ids.
    """
    cdef Numbers of_words = Numbers(words_, "Q"), of_starts = Numbers(starts_, "I"), of_ids = Numbers(ids_, "q")
    cdef const uint64_t *words = <const uint64_t *>of_words.first
    cdef const uint32_t *starts = <const uint32_t *>of_starts.first
    cdef const int64_t *ids = <const int64_t *>of_ids.first
    cdef uint64_t bucket, bits, mask, buckets = of_words.count
    cdef size_t at
    if of_starts.count != buckets + 1 or starts[buckets] != of_ids.count:
        raise ValueError("the parts of a table do not fit together")
    with nogil:
        for bucket in range(buckets):
            for at in range(starts[bucket], starts[bucket + 1]):
                bits = mixed(ids[at])
                mask = mask_of(bits)
                if (
                    ids[at] <= 0
                    or (at > starts[bucket] and ids[at] <= ids[at - 1])
                    or bucket_of(bits, buckets) != bucket
                    or words[bucket] & mask != mask
                ):
                    with gil:
                        return at
    return -1


def rises(starts):
    """Return whether numbers of 32 or 64 bits are in ascending order. Equal neighbours are allowed."""
    cdef bint is_narrow = memoryview(starts).itemsize == 4
    cdef Numbers held = Numbers(starts, "I" if is_narrow else "Q")
    cdef const uint32_t *narrow = <const uint32_t *>held.first
    cdef const uint64_t *wide = <const uint64_t *>held.first
    cdef size_t at, count = held.count
    cdef bint right = True
    with nogil:
        if is_narrow:
            for at in range(1, count):
                right &= narrow[at - 1] <= narrow[at]
        else:
            for at in range(1, count):
                right &= wide[at - 1] <= wide[at]
    return right


def highest(numbers_):
    """Return the largest of some numbers, or -1 if there are none."""
    cdef Numbers held = Numbers(numbers_, "I")
    cdef const uint32_t *numbers = <const uint32_t *>held.first
    cdef size_t at, count = held.count
    cdef uint32_t found = 0
    with nogil:
        for at in range(count):
            found = max(found, numbers[at])
    return found if count else -1


def build(named, lengths, uint64_t buckets, dict combinations not None, uint32_t rules):
    """Return the words, starts, ids and postings of a table. O(ids); other threads can run meanwhile.

    `named` has the ids that rule 0 names, then those of rule 1, and so on; `lengths` has their numbers. An id that
    several rules name gets the posting `rules` + n, where n is the number of their combination. `combinations` maps the
    numbers of the rules, as bytes, to n; new combinations are added to it.
    """
    cdef Numbers of_named = Numbers(named, "q"), of_lengths = Numbers(lengths, "I")
    cdef size_t count = of_named.count
    if not 0 < buckets <= 1 << 32:
        raise ValueError("a table must have 1 to 2**32 buckets")
    words_, starts_ = bytearray(8 * buckets), bytearray(4 * (buckets + 1))
    ids_, postings_ = bytearray(8 * count), bytearray(4 * count)
    cdef uint64_t *words = <uint64_t *>PyByteArray_AS_STRING(words_)
    cdef uint32_t *starts = <uint32_t *>PyByteArray_AS_STRING(starts_)
    cdef int64_t *ids = <int64_t *>PyByteArray_AS_STRING(ids_)
    cdef uint32_t *postings = <uint32_t *>PyByteArray_AS_STRING(postings_)
    cdef bint wrong
    with nogil:
        wrong = _scatter(of_named, of_lengths, buckets, starts, ids, postings)
        if not wrong:
            _order(buckets, starts, ids, postings, words)
    if wrong:
        raise ValueError("the lengths do not add up to the ids")

    # Merge the entries of each id into one.
    cdef uint64_t bucket
    cdef uint32_t start = 0, end, last, kept = 0
    for bucket in range(buckets):
        if bucket % TURN == 0:
            with nogil:
                pass
        end = starts[bucket]
        starts[bucket] = kept
        if end - start > LONG:
            _sort_long(ids + start, postings + start, end - start)
        while start < end:
            last = start + 1
            while last < end and ids[last] == ids[start]:
                last += 1
            ids[kept] = ids[start]
            postings[kept] = postings[start]
            if last > start + 1:
                together = PyBytes_FromStringAndSize(<char *>(postings + start), 4 * (last - start))
                postings[kept] = rules + <uint32_t>combinations.setdefault(together, len(combinations))
            kept += 1
            start = last
    starts[buckets] = kept
    del ids_[8 * kept :], postings_[4 * kept :]
    return words_, starts_, ids_, postings_


cdef bint _scatter(
    Numbers of_named, Numbers of_lengths, uint64_t buckets, uint32_t *starts, int64_t *ids, uint32_t *postings
) noexcept nogil:
    """Put each id, with its rule, into its bucket.

    Afterwards `starts` contains the end of each bucket. Return True if the lengths do not add up to the number of ids.
    """
    cdef const int64_t *named = <const int64_t *>of_named.first
    cdef const uint32_t *lengths = <const uint32_t *>of_lengths.first
    cdef size_t at, end = 0, count = of_named.count
    cdef uint64_t bucket
    cdef uint32_t rule, place, before = 0
    for at in range(count):
        starts[bucket_of(mixed(named[at]), buckets)] += 1
    for bucket in range(buckets):
        place = starts[bucket]
        starts[bucket] = before
        before += place
    at = 0
    for rule in range(<uint32_t>of_lengths.count):
        end += lengths[rule]
        if end > count:
            return True
        while at < end:
            bucket = bucket_of(mixed(named[at]), buckets)
            place = starts[bucket]
            starts[bucket] += 1
            ids[place], postings[place] = named[at], rule
            at += 1
    return at != count


cdef void _order(
    uint64_t buckets, const uint32_t *ends, int64_t *ids, uint32_t *postings, uint64_t *words
) noexcept nogil:
    """Sort each bucket, except long ones, and set the bits of its ids in its word."""
    cdef uint64_t bucket, word
    cdef size_t start = 0, at
    for bucket in range(buckets):
        if ends[bucket] - start <= LONG:
            _sort(ids + start, postings + start, ends[bucket] - start)
        word = 0
        for at in range(start, ends[bucket]):
            word |= mask_of(mixed(ids[at]))
        words[bucket] = word
        start = ends[bucket]


cdef void _sort(int64_t *ids, uint32_t *postings, size_t count) noexcept nogil:
    """Sort a bucket by id. This is an insertion sort, which is stable: a bucket has about four ids."""
    cdef size_t at, to
    cdef int64_t id_
    cdef uint32_t posting
    for at in range(1, count):
        id_, posting = ids[at], postings[at]
        to = at
        while to and ids[to - 1] > id_:
            ids[to], postings[to] = ids[to - 1], postings[to - 1]
            to -= 1
        ids[to], postings[to] = id_, posting


cdef _sort_long(int64_t *ids, uint32_t *postings, size_t count):
    """Sort a long bucket in the same order. A bucket is long if many rules name the same ids."""
    cdef size_t at
    for at, (id_, posting) in enumerate(sorted([(ids[at], postings[at]) for at in range(count)])):
        ids[at], postings[at] = id_, posting


def renumber(postings, numbers_, uint32_t rules):
    """Renumber combinations in place: the posting `rules` + n becomes `rules` + numbers[n]."""
    cdef Numbers of_postings = Numbers(memoryview(postings).cast("I"), "I", writable=True)
    cdef Numbers of_numbers = Numbers(numbers_, "I")
    cdef uint32_t *changed = <uint32_t *>of_postings.first
    cdef const uint32_t *numbers = <const uint32_t *>of_numbers.first
    cdef size_t at, count = of_postings.count
    cdef bint wrong = False
    with nogil:
        for at in range(count):
            if changed[at] >= rules:
                if changed[at] - rules < of_numbers.count:
                    changed[at] = rules + numbers[changed[at] - rules]
                else:
                    wrong = True
    if wrong:
        raise ValueError("a posting refers to no combination")
