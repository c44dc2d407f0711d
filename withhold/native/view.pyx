# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
"""The fast path of a view: what no rule names is answered without making an object, and what one names from what is
kept. All else is left to `withhold.engine.view.View`, below which the class here is put.
"""

cimport cython
from cpython.buffer cimport PyBUF_STRIDED_RO, PyBuffer_Release, PyObject_GetBuffer
from cpython.datetime cimport (
    datetime_day, datetime_hour, datetime_microsecond, datetime_minute, datetime_month, datetime_second, datetime_year,
    import_datetime,
)
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.string cimport memcpy, memmove

from withhold.native.index cimport ABSENT, DAMAGED, Layout, Table, bucket_of, find, mask_of, may_name, mixed
from withhold.native.index cimport int64_t, uint32_t, uint64_t, withhold_id, withhold_prefetch

import_datetime()

cdef enum:
    SETS = 4096  # of decisions that are kept, a power of two
    WAYS = 4
    BLOCK = 64  # questions of a page that wait for the memory together


cdef int64_t _microseconds(object instant):
    """Return an instant in UTC as a number, in the order of time."""
    cdef int64_t year = datetime_year(instant), month = datetime_month(instant), day
    # Years begin in March, so that the day that comes every four years is their last.
    year -= month <= 2
    day = 365 * year + year // 4 - year // 100 + year // 400
    day += (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + datetime_day(instant)
    cdef int64_t second = datetime_hour(instant) * 3600 + datetime_minute(instant) * 60 + datetime_second(instant)
    return (day * 86400 + second) * 1000000 + datetime_microsecond(instant)


cdef struct Kept:
    int64_t tweet  # postings, or ABSENT
    int64_t account
    PyObject *place  # compared by identity: its owner keeps it alive, and has one of each
    PyObject *decision  # owned; NULL if nothing is kept here
    int64_t since
    int64_t until


cdef class Answers:
    """Decisions on what rules name, kept for all views of a snapshot. Each has a few places where it can be."""

    cdef Kept *kept

    def __cinit__(self):
        # What is not used is not in memory.
        self.kept = <Kept *>PyMem_RawCalloc(SETS * WAYS, sizeof(Kept))
        if self.kept == NULL:
            raise MemoryError

    def __dealloc__(self):
        cdef size_t at
        if self.kept != NULL:
            for at in range(SETS * WAYS):
                Py_XDECREF(self.kept[at].decision)
            PyMem_RawFree(self.kept)

    cdef Kept *places_for(self, int64_t tweet, int64_t account, PyObject *place) noexcept:
        cdef uint64_t bits = mixed(mixed(tweet) ^ account) ^ mixed(<int64_t>place)
        return &self.kept[(bits >> 40 & (SETS - 1)) * WAYS]

    cdef object recall(self, int64_t tweet, int64_t account, PyObject *place, int64_t at):
        """Return the decision that is kept and holds at an instant, or None."""
        cdef Kept *kept = self.places_for(tweet, account, place)
        cdef size_t way
        found = None
        with cython.critical_section(self):
            for way in range(WAYS):
                if (
                    kept[way].tweet == tweet
                    and kept[way].account == account
                    and kept[way].place == place
                    and kept[way].decision != NULL
                    and kept[way].since <= at < kept[way].until
                ):
                    found = <object>kept[way].decision
                    break
        return found

    cdef keep(self, int64_t tweet, int64_t account, PyObject *place, object since, object decision):
        """Keep a decision that holds from `since` to its `valid_until` (None: always), in the place of the oldest."""
        cdef Kept *kept = self.places_for(tweet, account, place)
        cdef int64_t start = INT64_MIN if since is None else _microseconds(since)
        end = decision.valid_until
        cdef int64_t until = INT64_MAX if end is None else _microseconds(end)
        cdef PyObject *oldest
        Py_INCREF(decision)
        with cython.critical_section(self):
            oldest = kept[WAYS - 1].decision
            memmove(kept + 1, kept, (WAYS - 1) * sizeof(Kept))
            kept[0] = Kept(tweet, account, place, <PyObject *>decision, start, until)
        Py_XDECREF(oldest)


cdef class FastView:
    """What `View` asks most; a class below both joins the two. Threads share it."""

    cdef readonly object viewer, at, _decider
    cdef Table _tweets, _accounts
    cdef Answers _answers
    cdef object _standpoint, _visible, _shown, _tweet_type
    cdef int64_t _own, _instant

    # Not `__init__`, without which an object can be made: this one is never there without its tables.
    def __cinit__(self, decider, viewer, at, standpoint, own, tweet_type):
        """`standpoint` is where the viewer is, one object for all who are there; `own` their account, or None."""
        self._decider, self.viewer, self.at = decider, viewer, at
        self._tweets, self._accounts = decider.snapshot.tweets, decider.snapshot.accounts
        self._answers, self._visible = decider.answers, decider.snapshot.visible
        if self._tweets is None or self._accounts is None or self._answers is None:
            raise TypeError("the snapshot is not read in C")
        self._shown = self._visible.outcome
        self._standpoint, self._tweet_type = standpoint, tweet_type
        self._own = 0 if own is None else own
        self._instant = _microseconds(at)

    def withholds(self, tweet_id, account_id):
        """Tell whether a tweet is not visible: see `View.withholds`."""
        cdef int64_t tweet = withhold_id(tweet_id), account = withhold_id(account_id)
        if tweet and account:
            # Both are asked before either is waited for.
            if not (may_name(&self._tweets.layout, tweet) | may_name(&self._accounts.layout, account)):
                return False
            decision = self._known(tweet, account)
            if decision is not None:
                return decision.outcome is not self._shown
        return not self._decide_pair(tweet_id, account_id).visible

    def check(self, tweet_id=None, account_id=None):
        """Decide on a tweet, an account, or both: see `View.check`."""
        cdef int64_t tweet = withhold_id(tweet_id), account = withhold_id(account_id)
        if (tweet or tweet_id is None) and (account or account_id is None) and (tweet or account):
            decision = self._known(tweet, account)
            if decision is not None:
                return decision
        return self._check(tweet_id, account_id)

    cdef object _known(self, int64_t tweet, int64_t account):
        """Return the decision on ids, of which one may be 0 for none; None if it is not for here."""
        cdef int64_t of_tweet = find(&self._tweets.layout, tweet) if tweet else ABSENT
        cdef int64_t of_account = find(&self._accounts.layout, account) if account else ABSENT
        if of_tweet == ABSENT and of_account == ABSENT:
            return self._visible
        # What is the viewer's own may be shown to them alone, and is not kept here.
        if of_tweet == DAMAGED or of_account == DAMAGED or (account and account == self._own):
            return None
        cdef PyObject *place = <PyObject *>self._standpoint
        decision = self._answers.recall(of_tweet, of_account, place, self._instant)
        if decision is None:
            links = ((tweet if tweet else None, account if account else None),)
            since, decision = self._decider.kept(links, self.viewer, self.at)
            self._answers.keep(of_tweet, of_account, place, since, decision)
        return decision

    def _hits(self, list subjects not None):
        """Return the indices of the subjects that a rule may concern, and of what is neither a pair nor a tweet."""
        cdef int64_t tweets[BLOCK]
        cdef int64_t accounts[BLOCK]
        cdef unsigned char hits[BLOCK]
        cdef Py_ssize_t start = 0, at
        cdef size_t count, hit
        found = []
        while start < len(subjects):
            count = 0
            for at in range(start, min(start + BLOCK, len(subjects))):
                self._read(subjects[at], &tweets[count], &accounts[count])
                count += 1
            for hit in range(self._candidates(tweets, accounts, count, hits)):
                found.append(start + hits[hit])
            start += BLOCK
        return found

    cdef _read(self, object subject, int64_t *tweet, int64_t *account):
        """Read the ids of a pair, or of a tweet that brings no other; 0 where they are to be looked at more closely."""
        tweet[0] = account[0] = 0
        if type(subject) is tuple:
            if len(<tuple>subject) == 2:
                tweet[0], account[0] = withhold_id((<tuple>subject)[0]), withhold_id((<tuple>subject)[1])
        elif type(subject) is self._tweet_type and subject.retweet_of is None and subject.quoted is None:
            tweet[0], account[0] = withhold_id(subject.id), withhold_id(subject.account_id)

    def _column_hits(self, tweet_ids, account_ids):
        """Do the same for two columns of equal length: lists, tuples, or buffers of 64-bit integers."""
        cdef int64_t tweets[BLOCK]
        cdef int64_t accounts[BLOCK]
        cdef unsigned char hits[BLOCK]
        cdef size_t start = 0, count, size = len(tweet_ids), hit
        cdef Column of_tweets = Column(tweet_ids), of_accounts = Column(account_ids)
        if size != <size_t>len(account_ids):
            raise ValueError("the columns are not of one length")
        found = []
        while start < size:
            count = min(<size_t>BLOCK, size - start)
            of_tweets.read(start, count, tweets)
            of_accounts.read(start, count, accounts)
            for hit in range(self._candidates(tweets, accounts, count, hits)):
                found.append(start + hits[hit])
            start += BLOCK
        return found

    cdef size_t _candidates(
        self, const int64_t *tweets, const int64_t *accounts, size_t count, unsigned char *hits
    ) noexcept nogil:
        """Put into `hits` which of at most `BLOCK` questions a rule may concern; 0 is no id, and always a hit."""
        cdef const Layout *of_tweets = &self._tweets.layout
        cdef const Layout *of_accounts = &self._accounts.layout
        cdef uint64_t tweet_masks[BLOCK]
        cdef uint64_t account_masks[BLOCK]
        cdef const uint64_t *tweet_words[BLOCK]
        cdef const uint64_t *account_words[BLOCK]
        cdef uint64_t bits
        cdef int64_t tweet, account
        cdef size_t at, passed = 0, found = 0
        for at in range(count):
            bits = mixed(tweets[at])
            tweet_masks[at], tweet_words[at] = mask_of(bits), of_tweets.words + bucket_of(bits, of_tweets.buckets)
            withhold_prefetch(tweet_words[at])
            bits = mixed(accounts[at])
            account_masks[at] = mask_of(bits)
            account_words[at] = of_accounts.words + bucket_of(bits, of_accounts.buckets)
            withhold_prefetch(account_words[at])
        for at in range(count):
            # Written without a jump, of which a wrong guess costs as much as the rest.
            hits[passed] = <unsigned char>at
            passed += (
                (tweet_words[at][0] & tweet_masks[at] == tweet_masks[at])
                | (account_words[at][0] & account_masks[at] == account_masks[at])
                | (tweets[at] <= 0)
                | (accounts[at] <= 0)
            )
        # Some pass that no rule names.
        for at in range(passed):
            tweet, account = tweets[hits[at]], accounts[hits[at]]
            if tweet <= 0 or account <= 0 or find(of_tweets, tweet) != ABSENT or find(of_accounts, account) != ABSENT:
                hits[found] = hits[at]
                found += 1
        return found


cdef class Column:
    """Ids in a row: the objects of a list or a tuple, or a buffer of 64-bit integers."""

    cdef object objects
    cdef Py_buffer buffer
    cdef bint is_buffer, is_list

    def __cinit__(self, objects):
        self.objects, self.is_list = objects, type(objects) is list
        if not self.is_list and type(objects) is not tuple:
            PyObject_GetBuffer(objects, &self.buffer, PyBUF_STRIDED_RO)
            self.is_buffer = True
            if self.buffer.ndim != 1 or self.buffer.itemsize != 8:
                raise ValueError("the buffer is no row of 64-bit integers")

    def __dealloc__(self):
        if self.is_buffer:
            PyBuffer_Release(&self.buffer)

    cdef read(self, size_t start, size_t count, int64_t *ids):
        """Read ids from `start` on; 0 for what is none. Unsigned ones that are too large show as negative."""
        cdef size_t at
        cdef const char *place
        if self.is_buffer:
            place = <const char *>self.buffer.buf + <Py_ssize_t>start * self.buffer.strides[0]
            for at in range(count):
                memcpy(&ids[at], place, 8)  # which may stand anywhere
                place += self.buffer.strides[0]
        elif self.is_list:
            for at in range(count):
                ids[at] = withhold_id((<list>self.objects)[start + at]) if start + at < <size_t>len(<list>self.objects) else 0
        else:
            for at in range(count):
                ids[at] = withhold_id((<tuple>self.objects)[start + at])
