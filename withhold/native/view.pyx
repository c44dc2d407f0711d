# cython: language_level=3, boundscheck=False, wraparound=False, freethreading_compatible=True
# cython: binding=False, auto_pickle=False, embedsignature=True, embedsignature.format=clinic
"""The fast path of a view. Ids that no rule names are answered without creating an object, others from a cache.

`NativeView` in `withhold/engine/views.py` inherits from this and, for everything else, from
`withhold.engine.view.View`.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.datetime cimport (
    datetime, datetime_day, datetime_hour, datetime_microsecond, datetime_minute, datetime_month, datetime_second, datetime_year,
    import_datetime,
)
from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.string cimport memmove

from withhold.native.columns cimport STRETCH, Column, Row, mark
from withhold.native.index cimport ABSENT, DAMAGED, Layout, NativeTable, find, int64_t, may_name, mixed, uint64_t, withhold_id
from withhold.native.tweet cimport FastTweet

import_datetime()

cdef enum:
    SETS = 4096  # the number of sets of cached decisions, a power of two
    WAYS = 4
    BLOCK = 64  # sets; there are 64 blocks
    # The posting of an account that is not part of the question. Unlike `ABSENT`, it means that the author is unknown.
    NOT_GIVEN = -3
    INSIDE = 16  # the number of tweets in a tweet up to which they are looked up here
    # The number of ids in buffers from which the GIL is released. A page takes microseconds, but getting the GIL back
    # may take milliseconds.
    RELEASED = 1 << 16


cdef int64_t _microseconds(object instant):
    """Return an instant in UTC as a number of microseconds."""
    cdef int64_t year = datetime_year(instant), month = datetime_month(instant), day
    # Count years from March, so that the leap day is the last day of a year.
    year -= month <= 2
    day = 365 * year + year // 4 - year // 100 + year // 400
    day += (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + datetime_day(instant)
    cdef int64_t second = datetime_hour(instant) * 3600 + datetime_minute(instant) * 60 + datetime_second(instant)
    return (day * 86400 + second) * 1000000 + datetime_microsecond(instant)


cdef struct Kept:
    int64_t tweet  # postings, or ABSENT or NOT_GIVEN
    int64_t account
    PyObject *location  # owned; compared by identity, because there is one object for each location
    PyObject *decision  # owned; NULL if the entry is empty
    int64_t since
    int64_t until
    int64_t tweet_id  # the ids of the question, or 0; other questions with these postings may have others
    int64_t account_id
    int64_t repeats  # how often the answer was repeated


cdef class Answers:
    """A cache of decisions on ids that rules name, for all views of a snapshot.

    It is set-associative, with WAYS entries per set.
    """

    cdef Kept *kept
    # One bit for each BLOCK sets, whether they were written to. The memory of the others is never touched.
    cdef uint64_t used
    # What all views of the snapshot have in common: read from the decider by the first of them.
    cdef NativeTable tweets, accounts
    cdef object visible, shown

    def __cinit__(self):
        self.kept = <Kept *>PyMem_RawCalloc(SETS * WAYS, sizeof(Kept))
        if self.kept == NULL:
            raise MemoryError

    def __dealloc__(self):
        if self.kept != NULL:
            self._drop()
            PyMem_RawFree(self.kept)

    def clear(self):
        """Drop all decisions."""
        with cython.critical_section(self):
            self._drop()

    cdef void _drop(self):
        cdef size_t at, block
        cdef PyObject *decision
        cdef PyObject *location
        for block in range(SETS // BLOCK):
            if self.used >> block & 1:
                for at in range(block * BLOCK * WAYS, (block + 1) * BLOCK * WAYS):
                    decision, self.kept[at].decision = self.kept[at].decision, NULL
                    location, self.kept[at].location = self.kept[at].location, NULL
                    Py_XDECREF(decision)
                    Py_XDECREF(location)
        self.used = 0

    def questions(self):
        """Yield the questions of each used block of the cache: a list of (repeats, tweet_id, account_id, location key).

        `repeats` is how often the answer was repeated. An id is None if the question had none.
        """
        cdef size_t at, block
        cdef Kept *kept
        for block in range(SETS // BLOCK):
            found = []
            with cython.critical_section(self):
                if self.used >> block & 1:
                    for at in range(block * BLOCK * WAYS, (block + 1) * BLOCK * WAYS):
                        kept = &self.kept[at]
                        if kept.decision != NULL:
                            found.append((kept.repeats, kept.tweet_id or None, kept.account_id or None, <object>kept.location))
            if found:
                yield found

    cdef Kept *entries_for(self, int64_t tweet, int64_t account, PyObject *location) noexcept:
        cdef uint64_t bits = mixed(mixed(tweet) ^ account) ^ mixed(<int64_t>location)
        return &self.kept[(bits >> 40 & (SETS - 1)) * WAYS]

    cdef object recall(self, int64_t tweet, int64_t account, PyObject *location, int64_t at):
        """Return the cached decision if it is valid at an instant, or None."""
        cdef Kept *kept = self.entries_for(tweet, account, location)
        cdef size_t way
        found = None
        with cython.critical_section(self):
            for way in range(WAYS):
                if (
                    kept[way].tweet == tweet
                    and kept[way].account == account
                    and kept[way].location == location
                    and kept[way].decision != NULL
                    and kept[way].since <= at < kept[way].until
                ):
                    found = <object>kept[way].decision
                    kept[way].repeats += 1
                    break
        return found

    cdef keep(
        self, int64_t tweet, int64_t account, PyObject *location, int64_t tweet_id, int64_t account_id, object decision
    ):
        """Cache a decision while it is valid. Drop the oldest in its set."""
        cdef Kept *kept = self.entries_for(tweet, account, location)
        since, end = decision.freshness.since, decision.valid_until
        cdef int64_t start = INT64_MIN if since is None else _microseconds(since)
        cdef int64_t until = INT64_MAX if end is None else _microseconds(end)
        cdef PyObject *oldest
        cdef PyObject *oldest_location
        Py_INCREF(decision)
        Py_INCREF(<object>location)
        with cython.critical_section(self):
            self.used |= <uint64_t>1 << <size_t>(kept - self.kept) // (BLOCK * WAYS)
            oldest, oldest_location = kept[WAYS - 1].decision, kept[WAYS - 1].location
            memmove(kept + 1, kept, (WAYS - 1) * sizeof(Kept))
            kept[0] = Kept(tweet, account, location, <PyObject *>decision, start, until, tweet_id, account_id, 0)
        Py_XDECREF(oldest)
        Py_XDECREF(oldest_location)


cdef class FastView:
    """The most frequently called methods of `View`. `NativeView` inherits from both. Threads may share it."""

    cdef readonly object viewer, at, _decider
    cdef NativeTable _tweets, _accounts
    cdef Layout _of_tweets, _of_accounts
    cdef Answers _answers
    cdef object _location_key, _visible, _shown, _tweet_type
    cdef int64_t _own, _instant

    # Not `__init__`, because an object can be created without calling that. With this, it always has its tables.
    def __cinit__(self, decider, viewer, at, location_key, own, tweet_type):
        """`location_key` is the same object for all viewers at one location. `own` is the viewer's account, or None."""
        cdef Answers answers = decider.answers
        if answers is None:
            raise TypeError("the snapshot is not read in C")
        with cython.critical_section(answers):
            if answers.shown is None:
                answers.tweets, answers.accounts = decider.snapshot.tweets, decider.snapshot.accounts
                if answers.tweets is None or answers.accounts is None:
                    raise TypeError("the snapshot is not read in C")
                answers.visible, answers.shown = decider.visible, decider.visible.outcome
            self._tweets, self._accounts = answers.tweets, answers.accounts
            self._visible, self._shown = answers.visible, answers.shown
        self._decider, self.viewer, self.at, self._answers = decider, viewer, at, answers
        self._of_tweets, self._of_accounts = self._tweets.layout, self._accounts.layout
        self._location_key, self._tweet_type = location_key, tweet_type
        self._own = 0 if own is None else own
        self._instant = _microseconds(<datetime?>at)
        if not issubclass(tweet_type, FastTweet):
            raise TypeError("tweets are not read in C")

    def withholds(self, tweet_id, account_id):
        """Return whether a tweet is hidden: see `View.withholds`."""
        cdef int64_t tweet = withhold_id(tweet_id), account = withhold_id(account_id)
        if tweet and account:
            # `|`, not `or`, so that both reads of memory run in parallel.
            if not (may_name(&self._of_tweets, tweet) | may_name(&self._of_accounts, account)):
                return False
            decision = self._known(tweet, account)
            if decision is not None:
                return decision.outcome is not self._shown
        return not self._decide_pair(tweet_id, account_id).visible

    def check(self, *, tweet_id=None, account_id=None):
        """Decide on a tweet, an account, or both: see `View.check`."""
        cdef int64_t tweet = withhold_id(tweet_id), account = withhold_id(account_id)
        if (tweet or tweet_id is None) and (account or account_id is None) and (tweet or account):
            decision = self._known(tweet, account)
            if decision is not None:
                return decision
        return self._check(tweet_id, account_id)

    cdef object _known(self, int64_t tweet, int64_t account):
        """Return the decision on two ids (0 if there is none), or None if the question cannot be answered here."""
        cdef int64_t of_tweet = find(&self._tweets.layout, tweet) if tweet else ABSENT
        cdef int64_t of_account = find(&self._accounts.layout, account) if account else NOT_GIVEN
        if of_tweet == ABSENT and of_account < 0 and of_account != DAMAGED:
            return self._visible
        # The viewer's own content may be visible only to them, so decisions on it are not cached here.
        if of_tweet == DAMAGED or of_account == DAMAGED or (account and account == self._own):
            return None
        cdef PyObject *location = <PyObject *>self._location_key
        decision = self._answers.recall(of_tweet, of_account, location, self._instant)
        if decision is None:
            links = ((tweet if tweet else None, account if account else None),)
            decision = self._decider.decide(links, self.viewer, self.at)
            self._answers.keep(of_tweet, of_account, location, tweet, account, decision)
        return decision

    def _named(self, list subjects not None):
        """Return (index, decision) for each hidden subject, the freshness of all named ones, and the indices of others.

        Those are subjects that a rule may concern, but that are not decided here, for example tweets with others in them.
        Neighbours in the list of freshness differ, but values may be repeated.
        """
        cdef int64_t tweets[STRETCH + INSIDE]
        cdef int64_t accounts[STRETCH + INSIDE]
        cdef size_t owners[STRETCH + INSIDE]  # the index of the subject to which a row belongs
        cdef unsigned char marks[STRETCH + INSIDE]
        cdef Row of_tweets = Row(<const char *>tweets, sizeof(int64_t)), of_accounts = Row(<const char *>accounts, sizeof(int64_t))
        cdef size_t at = 0, count, row, first, size = len(subjects), last
        cdef bint alone
        cdef FastTweet tweet
        hidden, fresh, others = [], [], []
        freshness = None
        while at < size:
            count = 0
            while at < size and count < STRETCH:
                subject = subjects[at]
                first = count
                tweets[count] = accounts[count] = 0  # always marked
                if type(subject) is tuple:
                    if len(<tuple>subject) == 2:
                        tweets[count] = withhold_id((<tuple>subject)[0])
                        accounts[count] = withhold_id((<tuple>subject)[1])
                    count += 1
                elif type(subject) is self._tweet_type:
                    tweet = <FastTweet>subject
                    if tweet.retweet_of is None and tweet.quoted is None:
                        tweets[count], accounts[count] = tweet.number, tweet.author
                        count += 1
                    else:
                        count += self._read(tweet, &tweets[count], &accounts[count])
                else:
                    count += 1
                for row in range(first, count):
                    owners[row] = at
                at += 1
            mark(&self._tweets.layout, &self._accounts.layout, of_tweets, of_accounts, count, marks)
            last = size
            for row in range(count):
                if marks[row] and owners[row] != last:
                    last = owners[row]
                    # A subject of one row has no other tweets in it. If its ids are 0, it was not read.
                    alone = (row == 0 or owners[row - 1] != last) and (row + 1 == count or owners[row + 1] != last)
                    decision = self._known(tweets[row], accounts[row]) if alone and tweets[row] and accounts[row] else None
                    if decision is None:
                        others.append(last)
                        continue
                    if decision.outcome is not self._shown:
                        hidden.append((last, decision))
                    found = decision.freshness
                    if found is not freshness:
                        freshness = found
                        fresh.append(found)
        return hidden, fresh, others

    def _without(self, list page not None, list hidden not None, list subjects not None, dict named not None):
        """Return the items of a page that are not hidden. Add the subject of each other one to `named`, by index.

        `hidden` has (index, decision), in order.
        """
        cdef Py_ssize_t at, start = 0, end, count = 0
        cdef list visible = PyList_New(len(page) - len(hidden))
        for at in range(len(hidden) + 1):
            end = (<tuple>hidden[at])[0] if at < len(hidden) else len(page)
            while start < end:
                item = page[start]
                Py_INCREF(item)
                PyList_SET_ITEM(visible, count, item)
                start += 1
                count += 1
            if at < len(hidden):
                named[end] = subjects[end]
            start = end + 1
        return visible

    cdef size_t _read(self, FastTweet tweet, int64_t *tweets, int64_t *accounts):
        """Read the ids of a tweet and of all tweets in it, and return their number: INSIDE at most.

        If there are more, or one of another class, read a single 0.
        """
        cdef PyObject *tweets_inside[INSIDE]  # borrowed: they are immutable, and `tweet` keeps them alive
        cdef size_t at = 0, count = 1
        tweets_inside[0] = <PyObject *>tweet
        while at < count:
            tweet = <FastTweet>tweets_inside[at]
            if type(tweet) is not self._tweet_type:
                break
            tweets[at], accounts[at] = tweet.number, tweet.author
            at += 1
            if count + (tweet.retweet_of is not None) + (tweet.quoted is not None) > INSIDE:
                break
            if tweet.retweet_of is not None:
                tweets_inside[count] = <PyObject *>tweet.retweet_of
                count += 1
            if tweet.quoted is not None:
                tweets_inside[count] = <PyObject *>tweet.quoted
                count += 1
        else:
            return count
        tweets[0] = accounts[0] = 0
        return 1

    def _mark(self, tweet_ids, account_ids, bytearray marks not None):
        """Set each mark to 1 if a rule may concern the tweet or an id is invalid, else to 0.

        The columns are lists, tuples or buffers of 64-bit integers, and have as many ids as there are marks. No other
        thread may access `marks`.
        """
        cdef Column tweets = Column(tweet_ids), accounts = Column(account_ids)
        cdef int64_t read[2][STRETCH]
        cdef Row of_tweets, of_accounts
        cdef unsigned char *into = <unsigned char *>PyByteArray_AS_STRING(marks)
        cdef size_t start = 0, size = len(marks), count
        if size != <size_t>len(tweets) or size != <size_t>len(accounts):
            raise ValueError("the columns and the marks differ in length")
        while start < size:
            count = size - start if tweets.is_buffer and accounts.is_buffer else min(<size_t>STRETCH, size - start)
            of_tweets, of_accounts = tweets.row(start, count, read[0]), accounts.row(start, count, read[1])
            if count < RELEASED:
                mark(&self._tweets.layout, &self._accounts.layout, of_tweets, of_accounts, count, into + start)
            else:
                with nogil:
                    mark(&self._tweets.layout, &self._accounts.layout, of_tweets, of_accounts, count, into + start)
            start += count
