"""Functions that the views and the table share: reading an id from an object, and looking it up."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef extern from * nogil:
    """
    #if defined(_MSC_VER)
      #include <intrin.h>
      #define withhold_high(a, b) __umulh((a), (b))
      #define withhold_prefetch(address) _mm_prefetch((const char *)(address), _MM_HINT_T0)
    #else
      #define withhold_high(a, b) ((uint64_t)(((unsigned __int128)(a) * (b)) >> 64))
      #define withhold_prefetch(address) __builtin_prefetch(address)
    #endif

    /* The same as `mask_of` of `withhold.snapshot.buckets`. x86-64 can set a bit in one instruction; compilers
       shift a one instead, which takes three. */
    static inline uint64_t withhold_mask(uint64_t bits) {
        uint64_t mask = 0;
        for (int part = 0; part < 4; part++, bits >>= 6) {
    #if defined(__GNUC__) && defined(__x86_64__)
            __asm__("btsq %1, %0" : "+r"(mask) : "r"(bits) : "cc");
    #else
            mask |= (uint64_t)1 << (bits & 63);
    #endif
        }
        return mask;
    }

    /* Return the value of an exact `int` that is an id, 1 ... 2**63-1, and 0 for any other object, even an instance of
       a subclass. Read the digits directly, because a call into the interpreter costs as much as a look-up. */
    static inline int64_t withhold_id(PyObject *object) {
        if (!PyLong_CheckExact(object)) return 0;
    #if defined(CYTHON_COMPILING_IN_CPYTHON) && CYTHON_COMPILING_IN_CPYTHON && PyLong_SHIFT == 30 && PY_VERSION_HEX < 0x03100000
      #if PY_VERSION_HEX >= 0x030C0000
        const digit *digits = ((PyLongObject *)object)->long_value.ob_digit;
        uintptr_t tag = ((PyLongObject *)object)->long_value.lv_tag;
        if (tag & 3) return 0;  /* zero, or negative */
        Py_ssize_t count = (Py_ssize_t)(tag >> 3);
      #else
        const digit *digits = ((PyLongObject *)object)->ob_digit;
        Py_ssize_t count = Py_SIZE(object);
      #endif
        if ((size_t)(count - 1) > 2) return 0;
        /* No branch, because the processor cannot predict whether an id has two digits or three. Instead of a digit that
           does not exist, the first digit is read and masked out. */
        digit two = count > 1, three = count > 2;
      #if defined(__GNUC__)
        __asm__("" : "+r"(two), "+r"(three));  /* otherwise the compiler makes branches of them */
      #endif
        uint64_t second = digits[two] & (0 - two), third = digits[2 * three] & (0 - three);
        return third < 8 ? (int64_t)(third << 60 | second << 30 | digits[0]) : 0;
    #else
        int overflow;
        long long value = PyLong_AsLongLongAndOverflow(object, &overflow);
        return value > 0 && !overflow ? (int64_t)value : 0;
    #endif
    }
    """
    uint64_t withhold_high(uint64_t a, uint64_t b)
    uint64_t mask_of "withhold_mask"(uint64_t bits)
    void withhold_prefetch(const void *address)

cdef extern from *:
    int64_t withhold_id(object value)

#: Results of `find` that are not postings: no rule names the id, or the table is damaged.
cdef enum:
    ABSENT = -1
    DAMAGED = -2


cdef struct Layout:
    const uint64_t *words
    const uint32_t *starts
    const int64_t *ids
    const uint32_t *postings
    uint64_t buckets
    uint64_t count


# These two are the same as in `withhold.snapshot.buckets`, which explains them.

cdef inline uint64_t mixed(int64_t id_) noexcept nogil:
    cdef uint64_t bits = <uint64_t>id_
    bits = (bits ^ bits >> 32) * <uint64_t>0x9E3779B97F4A7C15
    bits ^= bits >> 32
    return bits * <uint64_t>0xD6E8FEB86659FD93


cdef inline uint64_t bucket_of(uint64_t bits, uint64_t buckets) noexcept nogil:
    return withhold_high(bits, buckets)


cdef inline bint may_name(const Layout *layout, int64_t id_) noexcept nogil:
    """Return whether an id may be in a table. Takes one read of memory."""
    cdef uint64_t bits = mixed(id_)
    cdef uint64_t mask = mask_of(bits)
    return layout.words[bucket_of(bits, layout.buckets)] & mask == mask


cdef inline int64_t find(const Layout *layout, int64_t id_) noexcept nogil:
    """Return the posting of an id, `ABSENT` or `DAMAGED`.

    Even if the table is damaged, nothing outside it is read.
    """
    cdef uint64_t bits = mixed(id_)
    cdef uint64_t mask = mask_of(bits)
    cdef uint64_t bucket = bucket_of(bits, layout.buckets)
    cdef uint64_t at, end
    if layout.words[bucket] & mask != mask:
        return ABSENT
    at, end = layout.starts[bucket], layout.starts[bucket + 1]
    if end > layout.count or at > end:
        return DAMAGED
    while at < end:
        if layout.ids[at] == id_:
            return layout.postings[at]
        at += 1
    return ABSENT


cdef class Numbers:
    cdef Py_buffer _buffer
    cdef void *first
    cdef size_t count


cdef class NativeTable:
    cdef Layout layout
    cdef tuple _held
