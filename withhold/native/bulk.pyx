# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, freethreading_compatible=True
# cython: binding=False, auto_pickle=False
"""Whole columns of questions, each row with a place and an instant of its own, without the GIL.

`withhold.bulk.kernel` prepares the columns, and does the same in Python. All rows are marked first: may a rule concern
them? For the others, that is all. The rules of a marked row give a timeline of the places where they hide their subjects,
so its answer is a bisection and one bit.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport INT64_MAX, INT64_MIN, uint16_t
from libc.string cimport memchr

from withhold.native.cells cimport Cells, Memory, Strip, is_null, number_at
from withhold.native.columns cimport Row, mark
from withhold.native.index cimport DAMAGED, Layout, NativeTable, find, int64_t, uint32_t, uint64_t

cdef enum:
    BLOCK = 1 << 16  # the number of rows that are marked together


cdef struct Spans:
    size_t count  # the number of instants
    size_t width  # the bytes of a set of places
    uint32_t number
    int64_t *starts  # microseconds since 1970
    const unsigned char **sets  # one before the first instant, and one from each instant on


cdef class Timeline:
    """The places where subjects with the same rules are hidden, and the instants at which they change. Immutable."""

    cdef Spans spans
    cdef tuple _held

    def __cinit__(self, uint32_t number, list starts not None, list sets not None):
        """`starts` are in microseconds since 1970. Each set is bytes, of which bit n is place n; all have one length."""
        cdef size_t at
        cdef bytes each
        self._held = tuple(sets)
        if len(sets) != len(starts) + 1 or {type(one) for one in sets} != {bytes} or len(set(map(len, sets))) != 1:
            raise ValueError("the sets do not fit the instants")
        self.spans.number, self.spans.count, self.spans.width = number, len(starts), len(sets[0])
        self.spans.starts = <int64_t *>PyMem_RawMalloc(sizeof(int64_t) * (self.spans.count + 1))
        self.spans.sets = <const unsigned char **>PyMem_RawMalloc(sizeof(char *) * (self.spans.count + 1))
        if self.spans.starts == NULL or self.spans.sets == NULL:
            raise MemoryError
        for at in range(self.spans.count):
            self.spans.starts[at] = starts[at]
        for at in range(self.spans.count + 1):
            each = self._held[at]
            self.spans.sets[at] = <const unsigned char *>PyBytes_AS_STRING(each)

    def __dealloc__(self):
        PyMem_RawFree(self.spans.starts)
        PyMem_RawFree(<void *>self.spans.sets)


cdef struct Columns:
    Strip tweets
    Strip accounts
    bint has_sources
    Strip source_tweets
    Strip source_accounts
    const uint16_t *places
    bint has_instants
    Strip instants
    int64_t instant  # of all rows, if there is no column of instants
    int64_t times  # the microseconds of a unit of the column, or 1
    int64_t by  # the units of a microsecond, or 1


cdef struct Hit:
    int64_t row
    uint64_t keys[2]
    const Spans *spans
    uint32_t stretch


cdef struct Block:
    unsigned char marks[BLOCK]
    unsigned char of_sources[BLOCK]
    Hit hits[BLOCK]
    int64_t bad[BLOCK]
    size_t hit_count
    size_t bad_count
    int64_t damaged  # a row whose look-up found a damaged table, or -1


cdef inline uint64_t _key(
    const Layout *of_tweets, const Layout *of_accounts, int64_t tweet, int64_t account, bint *damaged
) noexcept nogil:
    """Return the postings of a tweet and its author in one number, which is 0 if no rule names either."""
    cdef int64_t of_tweet = find(of_tweets, tweet), of_account = find(of_accounts, account)
    damaged[0] |= of_tweet == DAMAGED or of_account == DAMAGED
    return <uint64_t>(of_tweet + 1) << 32 | <uint64_t>(of_account + 1)


cdef void _find_hits(
    const Layout *of_tweets, const Layout *of_accounts, const Columns *columns, size_t start, size_t count, Block *block
) noexcept nogil:
    """Find the rows of a block that rules concern, with the postings of their ids, and those with invalid ids."""
    cdef size_t at, row
    cdef int64_t tweet, account
    cdef bint damaged = False, is_retweet
    cdef Hit *hit
    cdef unsigned char *marks = block.marks
    cdef const void *found
    mark(
        of_tweets, of_accounts, Row(columns.tweets.first + 8 * start, 8), Row(columns.accounts.first + 8 * start, 8), count, marks
    )
    if columns.has_sources:
        mark(
            of_tweets,
            of_accounts,
            Row(columns.source_tweets.first + 8 * start, 8),
            Row(columns.source_accounts.first + 8 * start, 8),
            count,
            block.of_sources,
        )
        for at in range(count):
            marks[at] |= block.of_sources[at]
    at = block.hit_count = block.bad_count = 0
    while at < count:
        found = memchr(marks + at, 1, count - at)
        if found == NULL:
            break
        at = <const unsigned char *>found - marks
        row = start + at
        at += 1
        # Whatever is stored under a null may be marked.
        if is_null(&columns.tweets, row) or is_null(&columns.accounts, row):
            continue
        if columns.has_instants and is_null(&columns.instants, row):
            continue
        is_retweet = False
        if columns.has_sources:
            is_retweet = not is_null(&columns.source_tweets, row)
            if is_retweet == is_null(&columns.source_accounts, row):
                continue
        hit = &block.hits[block.hit_count]
        hit.row, hit.keys[0], hit.keys[1] = row, 0, 0
        tweet, account = number_at(&columns.tweets, row), number_at(&columns.accounts, row)
        if tweet > 0 and account > 0:
            hit.keys[0] = _key(of_tweets, of_accounts, tweet, account, &damaged)
            if is_retweet:
                tweet, account = number_at(&columns.source_tweets, row), number_at(&columns.source_accounts, row)
                if tweet > 0 and account > 0:
                    hit.keys[1] = _key(of_tweets, of_accounts, tweet, account, &damaged)
        if damaged:
            block.damaged = row
            return
        if tweet <= 0 or account <= 0:
            block.bad[block.bad_count] = row
            block.bad_count += 1
        elif hit.keys[0] or hit.keys[1]:
            block.hit_count += 1


cdef inline int64_t _instant_at(const Columns *columns, size_t row) noexcept nogil:
    """Return the instant of a row in microseconds, rounded down; the last or first one if it is out of range."""
    if not columns.has_instants:
        return columns.instant
    cdef int64_t given = number_at(&columns.instants, row)
    if columns.times > 1:
        if given > INT64_MAX // columns.times:
            return INT64_MAX
        return INT64_MIN if given < INT64_MIN // columns.times else given * columns.times
    return given // columns.by - (given % columns.by < 0)


cdef void _keep_hidden(const Columns *columns, Block *block) noexcept nogil:
    """Keep the hits that are hidden at their place and instant."""
    cdef size_t at, kept = 0, low, high, middle
    cdef int64_t instant
    cdef uint16_t place
    cdef const Spans *spans
    for at in range(block.hit_count):
        spans, place = block.hits[at].spans, columns.places[block.hits[at].row]
        if <size_t>(place >> 3) >= spans.width:
            continue  # nowhere: the row is reported as such
        instant, low, high = _instant_at(columns, block.hits[at].row), 0, spans.count
        while low < high:
            middle = (low + high) // 2
            if spans.starts[middle] <= instant:
                low = middle + 1
            else:
                high = middle
        if spans.sets[low][place >> 3] >> (place & 7) & 1:
            block.hits[kept] = block.hits[at]
            block.hits[kept].stretch = <uint32_t>low
            kept += 1
    block.hit_count = kept


cdef class Hidden:
    """The rows of columns that are hidden, and those with invalid ids."""

    #: The numbers of the hidden rows, and those of the rows with invalid ids, as 64-bit integers.
    cdef readonly bytearray rows, bad
    #: For each hidden row, the number of its timeline and of the stretch in it, as pairs of 32-bit integers.
    cdef readonly bytearray stretches

    def __cinit__(self):
        self.rows, self.bad, self.stretches = bytearray(), bytearray(), bytearray()

    cdef _add(self, const Block *block):
        cdef size_t at
        rows = PyBytes_FromStringAndSize(NULL, 8 * block.hit_count)
        stretches = PyBytes_FromStringAndSize(NULL, 8 * block.hit_count)
        cdef int64_t *of_rows = <int64_t *>PyBytes_AS_STRING(rows)
        cdef uint32_t *of_stretches = <uint32_t *>PyBytes_AS_STRING(stretches)
        for at in range(block.hit_count):
            of_rows[at] = block.hits[at].row
            of_stretches[2 * at], of_stretches[2 * at + 1] = block.hits[at].spans.number, block.hits[at].stretch
        self.rows += rows
        self.stretches += stretches
        self.bad += PyBytes_FromStringAndSize(<const char *>block.bad, 8 * block.bad_count)


def hidden(
    NativeTable tweet_table not None,
    NativeTable account_table not None,
    dict timelines not None,
    make,
    Cells tweets not None,
    Cells accounts not None,
    Cells source_tweets,
    Cells source_accounts,
    places,
    instants,
    int64_t times,
    int64_t by,
):
    """Return the rows that are hidden at their places and instants, and those with invalid ids. O(rows).

    A row with a null is neither; a row whose source is null in both columns is no retweet. `timelines` maps the key of a pair,
    or of a retweet and its source as a tuple, to its timeline; `make` creates one from two keys. `instants` is a column, of
    which `times` microseconds are a unit or `by` units a microsecond, or an int, the microseconds since 1970.
    """
    cdef Columns columns
    cdef Memory of_places = Memory(places)
    cdef Cells of_instants
    cdef Layout of_tweets = tweet_table.layout, of_accounts = account_table.layout
    cdef size_t start = 0, count, at, size = tweets.count
    cdef Timeline timeline
    cdef object key
    cdef Block *block
    cdef Hit *hit
    columns.tweets, columns.accounts, columns.places = tweets.strip, accounts.strip, <const uint16_t *>of_places.first
    columns.has_sources = source_tweets is not None
    columns.has_instants = type(instants) is Cells
    lengths = {len(tweets), len(accounts), of_places.size // 2}
    widths = {tweets.width, accounts.width}
    if columns.has_sources:
        columns.source_tweets, columns.source_accounts = source_tweets.strip, source_accounts.strip
        lengths |= {len(source_tweets), len(source_accounts)}
        widths |= {source_tweets.width, source_accounts.width}
    if columns.has_instants:
        of_instants = instants
        columns.instants = of_instants.strip
        lengths.add(len(of_instants))
        widths.add(of_instants.width)
    else:
        columns.instant = instants
    columns.times, columns.by = times, by
    if lengths != {size} or widths != {8} or times < 1 or by < 1:
        raise ValueError("the columns differ in length, or are not of 64-bit integers")
    found = Hidden()
    block = <Block *>PyMem_RawMalloc(sizeof(Block))
    if block == NULL:
        raise MemoryError
    try:
        block.damaged = -1
        while start < size:
            count = min(<size_t>BLOCK, size - start)
            with nogil:
                _find_hits(&of_tweets, &of_accounts, &columns, start, count, block)
            if block.damaged >= 0:
                _raise_damaged(tweet_table, account_table, &columns, block.damaged)
            for at in range(block.hit_count):
                hit = &block.hits[at]
                key = <object>hit.keys[0]
                if hit.keys[1]:
                    key = (<object>hit.keys[0], <object>hit.keys[1])
                timeline = timelines.get(key)
                if timeline is None:
                    # Never replace one: another thread may be using it.
                    made = make(hit.keys[0], hit.keys[1])
                    if type(made) is not Timeline:
                        raise TypeError("`make` returned no timeline")
                    timeline = timelines.setdefault(key, made)
                hit.spans = &timeline.spans
            if block.hit_count:
                with nogil:
                    _keep_hidden(&columns, block)
            if block.hit_count or block.bad_count:
                (<Hidden>found)._add(block)
            start += count
    finally:
        PyMem_RawFree(block)
    return found


cdef _raise_damaged(NativeTable tweets, NativeTable accounts, const Columns *columns, size_t row):
    """Look up the ids of a row again, which raises the error."""
    tweets.find(number_at(&columns.tweets, row))
    accounts.find(number_at(&columns.accounts, row))
    if columns.has_sources:
        tweets.find(number_at(&columns.source_tweets, row))
        accounts.find(number_at(&columns.source_accounts, row))
