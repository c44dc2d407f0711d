"""The attributes of a tweet, which the views read directly."""

from withhold.native.index cimport int64_t


cdef class FastTweet:
    cdef readonly object id, account_id, retweet_of, quoted
    # The ids again, as the views read them.
    cdef int64_t number, author
