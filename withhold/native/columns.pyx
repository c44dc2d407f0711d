# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# cython: binding=False, auto_pickle=False
"""Pages of questions. The memory for all questions of a block is prefetched before any of it is read."""

cimport cython
from cpython.buffer cimport PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer
from libc.string cimport memcpy

from withhold.native.index cimport ABSENT, Layout, bucket_of, find, int64_t, mask_of, mixed, uint64_t
from withhold.native.index cimport withhold_id, withhold_prefetch

cdef enum:
    BLOCK = 64  # the number of questions whose memory is prefetched together


cdef class Column:
    """The objects of a list or a tuple, or a buffer of 64-bit integers."""

    def __cinit__(self, objects):
        self._objects = objects
        if type(objects) is not list and type(objects) is not tuple:
            PyObject_GetBuffer(objects, &self._buffer, PyBUF_STRIDED_RO)
            self.is_buffer = True
            if self._buffer.ndim != 1 or self._buffer.itemsize != 8:
                raise ValueError("the buffer is not one-dimensional with 64-bit integers")

    def __dealloc__(self):
        if self.is_buffer:
            PyBuffer_Release(&self._buffer)

    def __len__(self):
        return self._buffer.shape[0] if self.is_buffer else len(self._objects)

    cdef Row row(self, size_t start, size_t count, int64_t *read):
        """Return the ids from `start` on.

        The ids of a list are copied into `read`, with 0 for invalid ones. A buffer is not copied.

        Unsigned integers that are too large become negative.
        """
        cdef size_t at
        cdef list listed
        if self.is_buffer:
            return Row(<const char *>self._buffer.buf + <Py_ssize_t>start * self._buffer.strides[0], self._buffer.strides[0])
        if type(self._objects) is list:
            listed = <list>self._objects
            # Without a GIL, another thread may change the list at any time. With a GIL, the section does nothing.
            with cython.critical_section(listed):
                for at in range(count):
                    read[at] = withhold_id(listed[start + at]) if start + at < <size_t>len(listed) else 0
        else:
            for at in range(count):
                read[at] = withhold_id((<tuple>self._objects)[start + at])
        return Row(<const char *>read, sizeof(int64_t))


cdef struct Side:
    int64_t ids[BLOCK]
    uint64_t masks[BLOCK]
    const uint64_t *words[BLOCK]


cdef struct Block:
    Side tweets
    Side accounts
    size_t count


cdef void mark(
    const Layout *of_tweets, const Layout *of_accounts, Row tweets, Row accounts, size_t count, unsigned char *marks
) noexcept nogil:
    """Set a mark to 1 for each question that a rule may concern, else to 0.

    Ids below 1 are invalid and always marked.
    """
    # While one block is tested, the memory for the next one is being fetched.
    cdef Block blocks[2]
    cdef size_t start = 0, turn = 0
    _ask(&blocks[0], of_tweets, of_accounts, tweets, accounts, 0, count)
    while start < count:
        _ask(&blocks[turn ^ 1], of_tweets, of_accounts, tweets, accounts, start + BLOCK, count)
        _answer(&blocks[turn], of_tweets, of_accounts, marks + start)
        start += BLOCK
        turn ^= 1


cdef inline void _ask(
    Block *block, const Layout *of_tweets, const Layout *of_accounts, Row tweets, Row accounts, size_t start, size_t end
) noexcept nogil:
    """Prefetch the memory for the questions from `start` on, at most one block of them."""
    cdef size_t at
    block.count = min(<size_t>BLOCK, end - start) if start < end else 0
    for at in range(block.count):
        _ask_one(&block.tweets, of_tweets, tweets, start, at)
        _ask_one(&block.accounts, of_accounts, accounts, start, at)


cdef inline void _ask_one(Side *side, const Layout *layout, Row ids, size_t start, size_t at) noexcept nogil:
    memcpy(&side.ids[at], ids.first + <Py_ssize_t>(start + at) * ids.step, sizeof(int64_t))
    cdef uint64_t bits = mixed(side.ids[at])
    side.masks[at], side.words[at] = mask_of(bits), layout.words + bucket_of(bits, layout.buckets)
    withhold_prefetch(side.words[at])


cdef inline void _answer(
    const Block *block, const Layout *of_tweets, const Layout *of_accounts, unsigned char *marks
) noexcept nogil:
    cdef const Side *tweets = &block.tweets
    cdef const Side *accounts = &block.accounts
    cdef unsigned char passed[BLOCK]
    cdef size_t at, number, suspects = 0
    for at in range(block.count):
        # Written without a branch: a wrong prediction would cost as much as everything else here.
        passed[suspects] = <unsigned char>at
        marks[at] = (
            (tweets.words[at][0] & tweets.masks[at] == tweets.masks[at])
            | (accounts.words[at][0] & accounts.masks[at] == accounts.masks[at])
            | (tweets.ids[at] <= 0)
            | (accounts.ids[at] <= 0)
        )
        suspects += marks[at]
    # Some ids pass the filter although no rule names them.
    for number in range(suspects):
        at = passed[number]
        if tweets.ids[at] > 0 and accounts.ids[at] > 0:
            marks[at] = find(of_tweets, tweets.ids[at]) != ABSENT or find(of_accounts, accounts.ids[at]) != ABSENT
