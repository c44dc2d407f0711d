"""The registry of forms: how each is read and written, and its requirements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from withhold.errors import Problem
from withhold.wire import (
    activity,
    bluesky,
    buzzfeed,
    codes,
    compliance,
    gnip,
    labels,
    odysee,
    stream,
    takedowns,
    v1,
    v2,
    youtube,
)
from withhold.wire.event import Event, Kind, Term
from withhold.wire.values import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of another system.

    `read` returns the events of a record. `unwrap` returns the records of a response. A form that can be written has
    `write`, which returns the record of an event or None, and `say`, which returns the nearest term that the form can
    express, or None. A form with `columns` is CSV, and other forms are JSON.
    """

    name: str
    what: str
    read: Callable[[object, Context], list[Event]]
    unwrap: Callable[[object], Iterable[object]] | None = None
    write: Callable[[Event, list[Problem]], dict[str, object] | None] | None = None
    say: Callable[[Kind, Term], Term | None] = codes.plain
    columns: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    #: Whether events hold their instants. Other forms state what is withheld at one instant.
    dated: bool = True
    needs_ids: bool = False


_ALL = (
    Form(name="v1", what="v1.1 statuses and users", read=v1.read, write=v1.write, say=codes.flagged, dated=False),
    Form(name="stream", what="the v1.1 stream", read=stream.read, write=stream.write, dated=False),
    Form(name="gnip", what="Gnip's compliance firehose", read=gnip.read, write=gnip.write),
    Form(name="activity", what="Gnip's Activity Streams", read=activity.read, write=activity.write),
    Form(name="v2", what="v2 posts and users", read=v2.read, unwrap=v2.unwrap, write=v2.write, say=v2.say, dated=False),
    Form(
        name="compliance",
        what="the v2 compliance streams",
        read=compliance.read,
        write=compliance.write,
    ),
    Form(
        name="labels",
        what="the v2 label stream",
        read=labels.read,
        write=labels.write,
        say=labels.say,
    ),
    Form(
        name="takedowns",
        what="X's takedown labels, in CSV",
        read=takedowns.read,
        write=takedowns.write,
        say=takedowns.say,
        columns=takedowns.COLUMNS,
        required=takedowns.REQUIRED,
    ),
    Form(
        name="buzzfeed",
        what="BuzzFeed's CSV of withheld accounts",
        read=buzzfeed.read,
        write=buzzfeed.write,
        say=buzzfeed.say,
        columns=buzzfeed.COLUMNS,
        required=buzzfeed.REQUIRED,
        dated=False,
    ),
    Form(
        name="youtube",
        what="YouTube's regionRestriction",
        read=youtube.read,
        unwrap=youtube.unwrap,
        dated=False,
        needs_ids=True,
    ),
    Form(
        name="bluesky",
        what="labels of Bluesky's regional labelers",
        read=bluesky.read,
        unwrap=bluesky.unwrap,
        needs_ids=True,
    ),
    Form(
        name="odysee",
        what="Odysee's list by country",
        read=odysee.read,
        unwrap=odysee.unwrap,
        dated=False,
        needs_ids=True,
    ),
)
#: All forms by name.
FORMS: Mapping[str, Form] = MappingProxyType({form.name: form for form in _ALL})
#: The forms that can be written.
WRITTEN: Mapping[str, Form] = MappingProxyType({name: form for name, form in FORMS.items() if form.write is not None})
