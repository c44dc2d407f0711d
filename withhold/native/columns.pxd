"""Columns of ids, and a function that marks the ids that a rule may concern."""

from withhold.native.index cimport Layout, int64_t

cdef enum:
    STRETCH = 512  # the number of ids that are read from a list before any of them is looked up


cdef struct Row:
    const char *first  # the first of the 64-bit integers, which may be unaligned
    Py_ssize_t step  # bytes from one to the next, negative if they are in reverse order


cdef class Column:
    cdef readonly bint is_buffer
    cdef object _objects
    cdef Py_buffer _buffer

    cdef Row row(self, size_t start, size_t count, int64_t *read)


cdef void mark(
    const Layout *of_tweets, const Layout *of_accounts, Row tweets, Row accounts, size_t count, unsigned char *marks
) noexcept nogil
