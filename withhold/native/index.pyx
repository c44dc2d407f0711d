# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The table of a snapshot, read and made in C. `withhold.snapshot` has the same in Python, and says what it is."""

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport qsort

from withhold.errors import Problem, SnapshotError

# Buckets that are longer than this are sorted by Python: insertion would take the square of their length.
cdef enum:
    LONG = 64
    TURN = 1 << 14  # buckets after which other threads have a turn


cdef class Table:
    """From an id to its posting. Immutable, so threads share it; it keeps what it reads alive."""

    def __cinit__(
        self,
        const uint64_t[::1] words not None,
        const uint32_t[::1] starts not None,
        const int64_t[::1] ids not None,
        const uint32_t[::1] postings not None,
    ):
        if len(words) == 0 or len(starts) != len(words) + 1 or len(postings) != len(ids):
            raise ValueError("the parts of a table do not fit together")
        self._words, self._starts, self._ids, self._postings = words, starts, ids, postings
        self.layout.words = &words[0]
        self.layout.starts = &starts[0]
        self.layout.ids = &ids[0] if len(ids) else NULL
        self.layout.postings = &postings[0] if len(ids) else NULL
        self.layout.buckets = len(words)
        self.layout.count = len(ids)

    def __len__(self):
        return self.layout.count

    def find(self, id_, /):
        """Return the posting of an id, or None if no rule names it."""
        cdef int64_t number = withhold_id(id_)
        cdef int64_t found = find(&self.layout, number) if number else ABSENT
        if found == DAMAGED:
            raise SnapshotError(Problem("damaged-snapshot", "a bucket of the table lies outside of it", None, 'open it with `verify="full"`'))
        return None if found == ABSENT else found


def sort_ids(int64_t[::1] ids not None):
    """Sort ids in place, put each but once at the beginning, and return how many those are. O(n log n)."""
    cdef size_t at, kept = 0
    with nogil:
        if ids.shape[0]:
            qsort(&ids[0], ids.shape[0], sizeof(int64_t), _compare)
        for at in range(<size_t>ids.shape[0]):
            if kept == 0 or ids[at] != ids[kept - 1]:
                ids[kept] = ids[at]
                kept += 1
    return kept


cdef int _compare(const void *one, const void *other) noexcept nogil:
    cdef int64_t a = (<const int64_t *>one)[0], b = (<const int64_t *>other)[0]
    return (a > b) - (a < b)


def misfit(const uint64_t[::1] words not None, const uint32_t[::1] starts not None, const int64_t[::1] ids not None):
    """Return the place of the first id that is none, or that its bucket does not answer for; -1 if there is none.

    `starts` must have been found to rise to the number of ids.
    """
    cdef uint64_t bucket, bits, mask, buckets = len(words)
    cdef size_t at
    if len(starts) != len(words) + 1 or starts[buckets] != len(ids):
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


def rises(starts not None):
    """Tell whether numbers of 32 or 64 bits never fall."""
    cdef const uint32_t[::1] narrow
    cdef const uint64_t[::1] wide
    cdef Py_ssize_t at
    cdef bint right = True
    if memoryview(starts).itemsize == 4:
        narrow = starts
        with nogil:
            for at in range(1, narrow.shape[0]):
                right &= narrow[at - 1] <= narrow[at]
    else:
        wide = starts
        with nogil:
            for at in range(1, wide.shape[0]):
                right &= wide[at - 1] <= wide[at]
    return right


def highest(const uint32_t[::1] numbers not None):
    """Return the highest of some numbers, -1 if there is none."""
    cdef Py_ssize_t at
    cdef uint32_t found = 0
    with nogil:
        for at in range(numbers.shape[0]):
            found = max(found, numbers[at])
    return found if len(numbers) else -1


def build(
    const int64_t[::1] named not None,
    const uint32_t[::1] lengths not None,
    uint64_t buckets,
    dict combinations not None,
    uint32_t rules,
):
    """Return words, starts, ids and postings of a table. O(ids); other threads run meanwhile.

    `named` are the ids that rule 0 names, then those of rule 1 and so on, `lengths` how many each has. An id that
    several name gets the posting `rules` + n of the n-th combination in `combinations`, which grows: from the
    numbers of its rules, as bytes, to n.
    """
    cdef size_t count = len(named)
    if not 0 < buckets <= 1 << 32:
        raise ValueError("a table has a bucket, and no more than numbers of 32 bits count")
    words_, starts_ = bytearray(8 * buckets), bytearray(4 * (buckets + 1))
    ids_, postings_ = bytearray(8 * count), bytearray(4 * count)
    cdef uint64_t *words = <uint64_t *>PyByteArray_AS_STRING(words_)
    cdef uint32_t *starts = <uint32_t *>PyByteArray_AS_STRING(starts_)
    cdef int64_t *ids = <int64_t *>PyByteArray_AS_STRING(ids_)
    cdef uint32_t *postings = <uint32_t *>PyByteArray_AS_STRING(postings_)
    cdef bint wrong
    with nogil:
        wrong = _scatter(named, lengths, buckets, starts, ids, postings)
        if not wrong:
            _order(buckets, starts, ids, postings, words)
    if wrong:
        raise ValueError("the lengths do not add up to the ids")

    # One entry for all that name an id.
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
    const int64_t[::1] named,
    const uint32_t[::1] lengths,
    uint64_t buckets,
    uint32_t *starts,
    int64_t *ids,
    uint32_t *postings,
) noexcept nogil:
    """Put each id into its bucket, beside its rule; `starts` then has the ends. Return True if there are too many."""
    cdef size_t at, end = 0
    cdef uint64_t bucket
    cdef uint32_t rule, place, before = 0
    for at in range(<size_t>len(named)):
        starts[bucket_of(mixed(named[at]), buckets)] += 1
    for bucket in range(buckets):
        place = starts[bucket]
        starts[bucket] = before
        before += place
    at = 0
    for rule in range(<uint32_t>len(lengths)):
        end += lengths[rule]
        if end > <size_t>len(named):
            return True
        while at < end:
            bucket = bucket_of(mixed(named[at]), buckets)
            place = starts[bucket]
            starts[bucket] += 1
            ids[place], postings[place] = named[at], rule
            at += 1
    return at != <size_t>len(named)


cdef void _order(
    uint64_t buckets, const uint32_t *ends, int64_t *ids, uint32_t *postings, uint64_t *words
) noexcept nogil:
    """Put each bucket in order, but for long ones, and set the bits of its ids in its word."""
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
    """Sort a bucket by id; what is equal keeps its order. By insertion: a bucket has four ids or so."""
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
    """Do the same for a bucket that is long, since many rules name the same ids."""
    cdef size_t at
    for at, (id_, posting) in enumerate(sorted([(ids[at], postings[at]) for at in range(count)])):
        ids[at], postings[at] = id_, posting


def renumber(postings not None, const uint32_t[::1] numbers not None, uint32_t rules):
    """Give combinations other numbers, in place: the posting `rules` + n becomes `rules` + numbers[n]."""
    cdef uint32_t[::1] changed = memoryview(postings).cast("I")
    cdef Py_ssize_t at
    cdef bint wrong = False
    with nogil:
        for at in range(changed.shape[0]):
            if changed[at] >= rules:
                if changed[at] - rules < <size_t>numbers.shape[0]:
                    changed[at] = rules + numbers[changed[at] - rules]
                else:
                    wrong = True
    if wrong:
        raise ValueError("a posting stands for no combination")
