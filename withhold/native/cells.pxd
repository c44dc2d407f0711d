"""Columns in the layout of Arrow, as the functions on whole columns read them."""

from libc.string cimport memcpy

from withhold.native.index cimport int64_t


cdef struct Strip:
    const char *first
    const unsigned char *bits  # the bitmap of the values that are not null; NULL if none is null
    size_t offset  # the bit of the first value in the bitmap


cdef inline bint is_null(const Strip *strip, size_t row) noexcept nogil:
    row += strip.offset
    return strip.bits != NULL and not strip.bits[row >> 3] >> (row & 7) & 1


cdef inline int64_t number_at(const Strip *strip, size_t row) noexcept nogil:
    cdef int64_t number
    memcpy(&number, strip.first + 8 * row, 8)
    return number


cdef class Cells:
    cdef Py_buffer _values
    cdef Py_buffer _validity
    cdef Strip strip
    cdef size_t count
    cdef size_t width


cdef class Memory:
    cdef Py_buffer _buffer
    cdef char *first
    cdef size_t size
