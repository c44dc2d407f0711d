# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# cython: binding=False, auto_pickle=False
"""Columns in the layout of Arrow, and the places that columns of codes denote. `withhold.bulk` has all this in Python too."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport int32_t, uint8_t, uint16_t
from libc.string cimport memcpy

from withhold.native.index cimport int64_t, uint32_t, uint64_t

cdef enum:
    NOWHERE = 0xFFFF  # stands for the place of a row whose codes are not a place


cdef class Cells:
    """A column of values of the same width, in the layout of Arrow: a buffer, and a bitmap of those that are not null."""

    def __cinit__(self, values, validity, size_t offset, size_t count, size_t width):
        """`offset` is the index of the first value in both buffers. `validity` is None if no value is null."""
        PyObject_GetBuffer(values, &self._values, PyBUF_SIMPLE)
        if width == 0 or <size_t>self._values.len // width < offset or <size_t>self._values.len // width - offset < count:
            raise ValueError("the buffer is shorter than the column")
        if validity is not None:
            PyObject_GetBuffer(validity, &self._validity, PyBUF_SIMPLE)
            if <size_t>self._validity.len < (offset + count + 7) // 8:
                raise ValueError("the bitmap is shorter than the column")
            self.strip.bits = <const unsigned char *>self._validity.buf
        self.strip.first, self.strip.offset = <const char *>self._values.buf + offset * width, offset
        self.count, self.width = count, width

    def __dealloc__(self):
        PyBuffer_Release(&self._values)
        PyBuffer_Release(&self._validity)

    def __len__(self):
        return self.count


cdef class Memory:
    """A buffer of bytes, which cannot be resized while this exists."""

    def __cinit__(self, memory, *, bint writable=False):
        PyObject_GetBuffer(memory, &self._buffer, PyBUF_WRITABLE if writable else PyBUF_SIMPLE)
        self.first, self.size = <char *>self._buffer.buf, self._buffer.len

    def __dealloc__(self):
        PyBuffer_Release(&self._buffer)


def places_of_indices(Cells indices not None, lookup, places):
    """Set the place of each row from its index in a dictionary of codes, and return how many rows are nowhere.

    `lookup` has the place of each index, `places` receives those of the rows; both are 16-bit integers. A null is the
    unknown location, which is place 0. An index outside the dictionary is nowhere.
    """
    cdef Memory of_lookup = Memory(lookup), of_places = Memory(places, writable=True)
    cdef const uint16_t *known = <const uint16_t *>of_lookup.first
    cdef uint16_t *into = <uint16_t *>of_places.first
    cdef size_t row, size = of_lookup.size // 2, width = indices.width, bad = 0
    cdef uint64_t index
    cdef uint16_t place
    if of_places.size != 2 * indices.count or width not in (1, 2, 4, 8):
        raise ValueError("the columns differ in length")
    with nogil:
        for row in range(indices.count):
            index = _index_at(indices.strip.first + row * width, width)
            place = known[index] if index < size else <uint16_t>NOWHERE
            if is_null(&indices.strip, row):
                place = 0
            into[row] = place
            bad += place == NOWHERE
    return bad


cdef inline uint64_t _index_at(const char *first, size_t width) noexcept nogil:
    cdef uint16_t two
    cdef uint32_t four
    cdef uint64_t eight
    if width == 4:
        memcpy(&four, first, 4)
        return four
    if width == 1:
        return <unsigned char>first[0]
    if width == 2:
        memcpy(&two, first, 2)
        return two
    memcpy(&eight, first, 8)
    return eight


def places_of_texts(Cells texts not None, data, lookup, places):
    """Set the place of each row from its code of two letters, and return how many rows have another text.

    `lookup` has the place of each pair of bytes, the first of which is the lower; a null is place 0. `texts` are the offsets
    of the texts in `data`, of 32 or 64 bits, with one more behind the last; or, if `data` is None, views of 16 bytes.
    """
    cdef Memory of_lookup = Memory(lookup), of_places = Memory(places, writable=True), of_data
    cdef const uint16_t *known = <const uint16_t *>of_lookup.first
    cdef uint16_t *into = <uint16_t *>of_places.first
    cdef const unsigned char *letters = NULL
    cdef const char *end
    cdef size_t row, bad = 0, size = 0
    cdef uint16_t place
    if of_places.size != 2 * texts.count or of_lookup.size != 2 << 16:
        raise ValueError("the columns differ in length")
    if data is not None:
        of_data = Memory(data)
        letters, size = <const unsigned char *>of_data.first, of_data.size
        end = texts.strip.first + (texts.count + 1) * texts.width
        if texts.width not in (4, 8) or end > <char *>texts._values.buf + texts._values.len:
            raise ValueError("the offsets are shorter than the column")
    elif texts.width != 16:
        raise ValueError("the views are not of 16 bytes")
    with nogil:
        for row in range(texts.count):
            if is_null(&texts.strip, row):
                place = 0
            else:
                place = _place_of_text(&texts.strip, texts.width, row, letters, size, known)
            into[row] = place
            bad += place == NOWHERE
    return bad


cdef inline uint16_t _place_of_text(
    const Strip *texts, size_t width, size_t row, const unsigned char *letters, size_t size, const uint16_t *known
) noexcept nogil:
    cdef int32_t narrow[2]
    cdef int64_t wide[2]
    cdef const unsigned char *text
    if width == 4:
        memcpy(narrow, texts.first + 4 * row, 8)
        wide[0], wide[1] = narrow[0], narrow[1]
    elif width == 8:
        memcpy(wide, texts.first + 8 * row, 16)
    else:
        memcpy(narrow, texts.first + 16 * row, 4)
        text = <const unsigned char *>texts.first + 16 * row + 4
        return known[text[0] | <size_t>text[1] << 8] if narrow[0] == 2 else <uint16_t>NOWHERE
    if wide[0] < 0 or wide[1] - wide[0] != 2 or <size_t>wide[1] > size:
        return <uint16_t>NOWHERE
    text = letters + wide[0]
    return known[text[0] | <size_t>text[1] << 8]


def set_bits(bitmap, rows, size_t offset, bint value):
    """Set or clear the bit of each row in a bitmap. The rows are 64-bit integers, to which `offset` is added."""
    cdef Memory of_bitmap = Memory(bitmap, writable=True), of_rows = Memory(rows)
    cdef const int64_t *numbers = <const int64_t *>of_rows.first
    cdef uint8_t *bytes_ = <uint8_t *>of_bitmap.first
    cdef size_t at, row
    for at in range(of_rows.size // 8):
        row = numbers[at] + offset
        if row >> 3 >= of_bitmap.size:
            raise ValueError("a row is outside the bitmap")
        if value:
            bytes_[row >> 3] |= <uint8_t>(1 << (row & 7))
        else:
            bytes_[row >> 3] &= <uint8_t>~(1 << (row & 7))
