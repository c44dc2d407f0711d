# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True, binding=False
"""Lower bounds for the cost of a view: a call that does nothing, and calls that only read memory."""

from libc.stdint cimport int64_t, uint64_t

from withhold.native.index cimport bucket_of, mixed, withhold_id, withhold_prefetch

cdef enum:
    BLOCK = 64


cdef class Empty:
    """A method with the signature of `View.withholds` that does nothing."""

    def withholds(self, tweet_id, account_id):
        return False


cdef class Reads:
    """Methods of a view that only read one random word for each id, from a table of tweets and one of accounts."""

    cdef const uint64_t[::1] _tweets, _accounts

    def __cinit__(self, const uint64_t[::1] tweets not None, const uint64_t[::1] accounts not None):
        """Take two non-empty tables of 64-bit numbers. No number may have all bits set."""
        if not len(tweets) or not len(accounts):
            raise ValueError("the tables are empty")
        self._tweets, self._accounts = tweets, accounts

    def withholds(self, tweet_id, account_id):
        cdef uint64_t tweet = self._tweets[bucket_of(mixed(withhold_id(tweet_id)), len(self._tweets))]
        cdef uint64_t account = self._accounts[bucket_of(mixed(withhold_id(account_id)), len(self._accounts))]
        # The answer depends on the numbers, so the compiler cannot remove the reads.
        return tweet & account == ~<uint64_t>0

    def mask(self, const int64_t[::1] tweet_ids not None, const int64_t[::1] account_ids not None):
        """Return how many of the numbers for two columns have all bits set: 0, but the compiler cannot know this."""
        cdef const uint64_t *places[2 * BLOCK]
        cdef size_t at, start = 0, count, size = min(len(tweet_ids), len(account_ids)), found = 0
        while start < size:
            count = min(<size_t>BLOCK, size - start)
            for at in range(count):
                places[2 * at] = &self._tweets[bucket_of(mixed(tweet_ids[start + at]), len(self._tweets))]
                withhold_prefetch(places[2 * at])
                places[2 * at + 1] = &self._accounts[bucket_of(mixed(account_ids[start + at]), len(self._accounts))]
                withhold_prefetch(places[2 * at + 1])
            for at in range(2 * count):
                found += places[at][0] == ~<uint64_t>0
            start += BLOCK
        return found
