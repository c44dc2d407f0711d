# cython: language_level=3, freethreading_compatible=True, binding=False, auto_pickle=False
"""The attributes of `Tweet` in C: created and read in a few nanoseconds. `withhold.model.tweet` has the rest."""

cimport cython
from cpython.object cimport PyObject, PyTypeObject

from withhold.native.index cimport int64_t, withhold_id

cdef extern from "Python.h":
    object PyType_GenericAlloc(PyTypeObject *cls, Py_ssize_t count)
    Py_ssize_t PyVectorcall_NARGS(size_t given)
    ctypedef object (*Construct)(PyObject *cls, PyObject *const *values, size_t given, PyObject *names)

cdef extern from *:
    """
    /* Fill a new object, whose attributes are still NULL. */
    #define withhold_fill(tweet, the_id, the_account, retweeted, quote) do { \\
        (tweet)->id = (the_id), (tweet)->account_id = (the_account); \\
        (tweet)->retweet_of = (retweeted), (tweet)->quoted = (quote); \\
        Py_INCREF(the_id); Py_INCREF(the_account); Py_INCREF(retweeted); Py_INCREF(quote); \\
    } while (0)
    #define withhold_set_vectorcall(cls, function) ((PyTypeObject *)(cls))->tp_vectorcall = (vectorcallfunc)(function)
    #define withhold_call_type(cls, values, names) PyType_Type.tp_call((PyObject *)(cls), (values), (names))
    """
    void withhold_fill(FastTweet tweet, PyObject *id, PyObject *account_id, PyObject *retweet_of, PyObject *quoted)
    void withhold_set_vectorcall(object cls, Construct function)
    object withhold_call_type(PyObject *cls, object values, object names)

#: The arguments of `Tweet`, in their order.
cdef tuple NAMES = ("id", "account_id", "retweet_of", "quoted")


@cython.trashcan(True)
cdef class FastTweet:
    """The ids of a tweet and of its author, and the tweets that it retweets or quotes. Immutable.

    `Tweet` inherits from this. Its `_checked` returns other integers as ints, and raises for anything but ids and tweets.
    """

    # Not `__init__`, because an object can be created without calling that. This one always has its attributes.
    def __cinit__(self, id, account_id, retweet_of=None, quoted=None):
        self.number, self.author = withhold_id(id), withhold_id(account_id)
        if not (self.number and self.author and _may_be_inside(retweet_of) and _may_be_inside(quoted)):
            id, account_id = self._checked(id, account_id, retweet_of, quoted)
            self.number, self.author = id, account_id
        self.id, self.account_id, self.retweet_of, self.quoted = id, account_id, retweet_of, quoted

    def __init__(self, *values, **by_name):
        """Allow that a subclass calls this with the arguments of the class, as it must in Python, and change nothing.

        Raises a `TypeError` for other values, because they would be ignored. A class with its own `__new__` may have other
        arguments.
        """
        cdef FastTweet given
        kind = type(self)
        if kind.__new__ is FastTweet.__new__:
            given = kind.__new__(kind, *values, **by_name)
            if not (
                given.number == self.number
                and given.author == self.author
                and given.retweet_of is self.retweet_of
                and given.quoted is self.quoted
            ):
                raise TypeError("`__init__` of a tweet got other values than the call of its class; pass them to `__new__`")


cdef inline bint _may_be_inside(object tweet):
    return tweet is None or isinstance(tweet, FastTweet)


cdef object _constructed(PyObject *cls, PyObject *const *values, size_t given, PyObject *names):
    """Return `cls(…)`: the same as `__cinit__` does, without a tuple and a dict for the arguments.

    Anything but exact ids and tweets is left to `__cinit__`, and so are wrong arguments: their id is None here.
    """
    cdef size_t at, place, positional = PyVectorcall_NARGS(given)
    cdef size_t named = len(<tuple>names) if names != NULL else 0
    cdef PyObject *none = <PyObject *>None
    cdef PyObject *read[4]
    cdef FastTweet made
    cdef int64_t number, author
    read[0] = read[1] = read[2] = read[3] = NULL
    if 2 <= positional + named <= 4:
        for at in range(positional):
            read[at] = values[at]
        for at in range(named):
            for place in range(4):
                # The names in a call are interned.
                if (<tuple>names)[at] is NAMES[place]:
                    if read[place] != NULL:
                        read[0] = none  # given twice
                    else:
                        read[place] = values[positional + at]
                    break
            else:
                read[0] = none  # not an argument
        if read[0] != NULL and read[1] != NULL:
            number, author = withhold_id(<object>read[0]), withhold_id(<object>read[1])
            if read[2] == NULL:
                read[2] = none
            if read[3] == NULL:
                read[3] = none
            if number and author and _may_be_inside(<object>read[2]) and _may_be_inside(<object>read[3]):
                made = PyType_GenericAlloc(<PyTypeObject *>cls, 0)
                withhold_fill(made, read[0], read[1], read[2], read[3])
                made.number, made.author = number, author
                return made
    cdef tuple listed = tuple([<object>values[at] for at in range(positional)])
    cdef dict by_name = {(<tuple>names)[at]: <object>values[positional + at] for at in range(named)}
    return withhold_call_type(cls, listed, by_name)


def construct_quickly(cls):
    """Let calls of `cls`, a class that inherits from `FastTweet` and adds no attribute, construct it in a few nanoseconds."""
    if not issubclass(cls, FastTweet) or cls.__basicsize__ != FastTweet.__basicsize__ or cls.__init__ is not FastTweet.__init__:
        raise TypeError("the class cannot be constructed like this")
    withhold_set_vectorcall(cls, _constructed)
