"""The schema of `demand.yaml`: what an authority demands, on which basis, and what may be disclosed about it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from withhold.demands.vocabulary import (
    Action,
    Authenticity,
    Authority,
    Basis,
    Binding,
    DemandKind,
    InstantPrecision,
    Permission,
    Relation,
)
from withhold.errors import DemandError, InstantError, Place, Problem, RuleSetError, RuleSetWarning, in_order
from withhold.lint.jurisdiction import overseas_left_out
from withhold.model.instants import in_iso, parse_instant
from withhold.model.rule import Disclosure, Reason
from withhold.parsing.nodes import Node
from withhold.parsing.strict import Flag, Instant, OneOrMore, Strict, Text, key_of, one_of, problem, read_model, reads
from withhold.parsing.yaml_file import read_yaml
from withhold.sources.files import decoded, unreadable
from withhold.territories import Resolved, expand, resolve_jurisdiction

_ID = re.compile(r"[A-Z0-9][A-Z0-9._-]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)


def _demand_id(text: str, _: ValidationInfo) -> str:
    if not _ID.fullmatch(text) or len(text) > 60:
        hint = "use capital letters, digits and `.`, `_` or `-`, such as `IN-D1`; its own number belongs in `reference`"
        raise problem("bad-demand-id", f"`{text[:60]}` cannot be the id of a demand", hint)
    return text


def _moment(text: str, info: ValidationInfo) -> str:
    """Read a date, or an instant with its offset. The text keeps the offset, because a report may state local time."""
    text = text.strip()
    try:
        parse_instant(text, key_of(info))
    except InstantError:
        if not (_DATE.fullmatch(text) and _is_date(text)):
            raise
    return text.upper()


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


def _territories(text: str, _: ValidationInfo) -> tuple[str, ...]:
    return tuple(map(_code, expand(text)))


def _jurisdiction(text: str, _: ValidationInfo) -> str:
    return _code(resolve_jurisdiction(text))


def _code(found: Resolved) -> str:
    if found.alias is not None:
        warnings.warn(f"`{found.alias}` was read as `{found.code}` [territory-alias]", RuleSetWarning, stacklevel=2)
    return found.code


def _count(text: str, info: ValidationInfo) -> int:
    if not _COUNT.fullmatch(text):
        raise problem("bad-value", f"`{key_of(info)}` is not a whole number", "write its digits, such as `257`")
    return int(text)


def _digest(text: str, _: ValidationInfo) -> str:
    if not _SHA256.fullmatch(text.lower()):
        raise problem("bad-value", "`sha256` is not a SHA-256 digest", "write its 64 hexadecimal digits")
    return text.lower()


def _either(name: str) -> BeforeValidator:
    """Read a single value `x` as `{name: x}`."""
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else value)


#: Codes and groups, as a sorted tuple of codes.
Territories = Annotated[
    tuple[Annotated[Any, reads(_territories)], ...],
    OneOrMore,
    AfterValidator(lambda found: tuple(sorted({code for codes in found for code in codes}))),
]
DemandId = Annotated[str, reads(_demand_id)]


class Moment(Strict):
    """A date or an instant, how exactly it is known, and from where.

    >>> Moment(at="2021-01-31").latest().isoformat()
    '2021-02-01T12:00:00+00:00'
    """

    called, written = "an instant", "{at: 2021-01-31T18:00:00+05:30, precision: date, basis: assumed}"

    at: Annotated[str, reads(_moment)] = Field(examples=["2021-01-31T18:00:00+05:30"])
    precision: Annotated[InstantPrecision, one_of(InstantPrecision, "precision")] | None = None
    basis: Annotated[Basis, one_of(Basis)] = Basis.SOURCED
    source: Text | None = None

    def latest(self) -> datetime:
        """Return the instant, or for a date its last instant in any time zone."""
        if _DATE.fullmatch(self.at):
            return datetime.fromisoformat(f"{self.at}T00:00:00+00:00") + timedelta(hours=36)
        return parse_instant(self.at)


When = Annotated[Moment, _either("at")]


class Issuer(Strict):
    called, written = "the authority", "authority: {name: …, type: executive}"

    name: Text = Field(examples=["Ministry of Electronics and Information Technology"])
    type: Annotated[Authority, one_of(Authority, "authority")] = Field(examples=["executive"])
    rank: Text | None = None
    country: Annotated[str, reads(_jurisdiction)] | None = None


class LegalBasis(Strict):
    called, written = "a legal basis", "{statute: …, provision: …}"

    statute: Text = Field(examples=["Information Technology Act, 2000"])
    provision: Text | None = None
    text: Text | None = None
    basis: Annotated[Basis, one_of(Basis)] = Basis.SOURCED


class Requested(Strict):
    """The request of the authority. Without `withheld_in`, its geography is the demand's jurisdiction."""

    called, written = "the request", "requested: {actions: [withhold], withheld_in: [IN]}"

    actions: Annotated[tuple[Annotated[Action, one_of(Action)], ...], OneOrMore] = (Action.WITHHOLD,)
    withheld_in: Territories = ()
    except_in: Territories = ()
    until: Instant | None = None
    deadline: When | None = None
    #: The number of entries that the letter states.
    count: Annotated[int, reads(_count)] | None = None


class Confidence(Strict):
    """One confidentiality flag, and its basis. `until` is the end of a deferral."""

    called, written = "a confidentiality flag", "notify_user: {is: defer, until: 2021-03-01T00:00:00Z}"

    is_: Annotated[Permission, one_of(Permission, "permission")] = Field(alias="is", examples=["deny"])
    until: Instant | None = None
    reason: Text | None = None


_Confidence = Annotated[Confidence, _either("is")]


class Confidentiality(Strict):
    """Four independent permissions. None means that the order does not mention it."""

    called, written = "`confidentiality`", "confidentiality: {notify_user: allow}"

    notify_user: _Confidence | None = None
    name_authority_publicly: _Confidence | None = None
    publish_text: _Confidence | None = None
    count_in_report: _Confidence | None = None


class Document(Strict):
    called, written = "a document", "{sha256: …, name: order.pdf}"

    sha256: Annotated[str, reads(_digest)] = Field(
        examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    )
    name: Text | None = None
    mime: Text | None = None
    language: Text | None = None
    translation: Flag = False


class Linked(Strict):
    called, written = "a link", "{is: reiterates, demand: IN-D1}"

    is_: Annotated[Relation, one_of(Relation, "relation")] = Field(alias="is", examples=["reiterates"])
    demand: DemandId = Field(examples=["IN-D1"])


class Demand(Strict):
    """A legal demand, as `demand.yaml` states it. `data()` is what the ledger records.

    >>> demand = read_demand(
    ...     "{id: IN-D1, authority: {name: the ministry, type: executive}, jurisdiction: IN, kind: final,"
    ...     " received: 2021-01-31T18:00:00+05:30}"
    ... )
    >>> demand.data()["requested"]
    {'withheld_in': ['IN']}
    """

    called, written, wrong_kind = "a demand", "id: IN-D1", "bad-demand-file"
    several_lines = ("note",)

    id: DemandId = Field(examples=["IN-D1"])
    authority: Issuer = Field(examples=["{name: Ministry of Electronics and Information Technology, type: executive}"])
    #: The territory whose law applies: a country, a subdivision or `EU`.
    jurisdiction: Annotated[str, reads(_jurisdiction)] = Field(examples=["IN"])
    kind: Annotated[DemandKind, one_of(DemandKind, "demand_kind")] = Field(examples=["court_order"])
    received: When = Field(examples=["2021-01-31T18:00:00+05:30"])
    #: The authority's own number.
    reference: Text | None = None
    #: The legal regime and its version, such as `IN-69A@2009-10-27`.
    regime: Text | None = None
    legal_basis: Annotated[tuple[LegalBasis, ...], OneOrMore] = ()
    grounds: Annotated[tuple[Text, ...], OneOrMore] = ()
    binding: Annotated[Binding, one_of(Binding)] = Binding.BINDING
    requested: Requested = Requested()
    issued: When | None = None
    transmitted: When | None = None
    reported: When | None = None
    acknowledged: When | None = None
    emergency: Flag = False
    #: The category of the DSA's templates, such as `STATEMENT_CATEGORY_ILLEGAL_OR_HARMFUL_SPEECH`.
    category: Text | None = None
    service: Text | None = None
    confidentiality: Confidentiality = Confidentiality()
    links: Annotated[tuple[Linked, ...], OneOrMore] = ()
    authenticity: Annotated[Authenticity, one_of(Authenticity)] = Authenticity.UNVERIFIED
    documents: Annotated[tuple[Document, ...], OneOrMore] = ()
    #: The person or team responsible for it. This never leaves the ledger.
    owner: Text | None = None
    note: Text | None = None

    def data(self) -> dict[str, Any]:
        """Return the fields as JSON values, without fields that have their default.

        The geography is always included.
        """
        values: dict[str, Any] = json_values(self)
        requested = values.setdefault("requested", {})
        if not self.requested.withheld_in:
            requested["withheld_in"] = sorted(found.code for found in expand(self.jurisdiction))
        return values


def json_values(value: object) -> Any:
    """Return a model as JSON values, without fields that have their default. pydantic's own conversion warns about fields with a `PlainValidator`."""
    if isinstance(value, Strict):
        fields = type(value).model_fields.items()
        found = {field.alias or name: (getattr(value, name), field.default) for name, field in fields}
        return {name: json_values(given) for name, (given, default) in found.items() if given != default}
    if isinstance(value, tuple):
        return [json_values(item) for item in value]
    if isinstance(value, datetime):
        return in_iso(value)
    return str(value) if isinstance(value, StrEnum) else value


def read_demand(text: str | bytes, file: str = "demand.yaml") -> Demand:
    """Read the text of a `demand.yaml`. Raises `DemandError` with all its problems and their places.

    A code that is read as another one, such as `UK`, is a `RuleSetWarning`.
    """
    try:
        node = read_yaml(decoded(text, Path(file)) if isinstance(text, bytes) else text, file)
    except RuleSetError as error:
        raise DemandError(*error.problems) from None
    demand, problems = read_model(Demand, node or Node(Place(file)))
    if demand is not None and not problems:
        problems += _contradictions(demand, Place(file) if node is None else node.place)
    if problems or demand is None:
        raise DemandError(*in_order(problems))
    return demand


def load_demand(path: Path) -> Demand:
    """Read a `demand.yaml`. Raises `DemandError`, also if the file cannot be read."""
    try:
        return read_demand(path.read_bytes(), str(path))
    except (OSError, ValueError) as error:
        if isinstance(error, DemandError):
            raise
        raise DemandError(unreadable(error, Place(str(path)))) from None


def _contradictions(demand: Demand, place: Place) -> list[Problem]:
    found = []
    for name, flag in demand.confidentiality:
        if flag is not None and (flag.is_ is Permission.DEFER) != (flag.until is not None):
            hint = "write both `is: defer` and `until`, or neither"
            found.append(
                Problem("bad-deferral", f"`{name}` has a deferral without its end, or an end without one", place, hint)
            )
    if demand.kind is DemandKind.NONCOMPLIANCE_NOTICE and not any(
        link.is_ is Relation.REITERATES for link in demand.links
    ):
        hint = "write `links: [{is: reiterates, demand: IN-D1}]`"
        found.append(
            Problem("no-reiterated-demand", "a non-compliance notice reiterates a demand, but names none", place, hint)
        )
    return found


# The functions below read the fields of a demand as JSON values, because folding builds no models.


def overseas_notes(fields: Mapping[str, Any]) -> list[str]:
    """Return notes on countries whose territories overseas the demand does not mention: the authority may mean them."""
    requested = fields["requested"]
    law = fields["jurisdiction"]
    found = overseas_left_out(requested["withheld_in"], requested.get("except_in", ()), law)
    return [f"{message}; ask the authority which of them it means [overseas-left-out]" for message in found]


def comes_from_court(fields: Mapping[str, Any]) -> bool:
    """Return whether the demand is a court order."""
    kinds = (DemandKind.COURT_ORDER, DemandKind.COURT_INTERIM)
    return fields["authority"]["type"] == Authority.COURT or fields["kind"] in kinds


def reason_for(fields: Mapping[str, Any]) -> Reason:
    """Return the reason of the rules that withhold on a demand."""
    match fields["kind"]:
        case DemandKind.COPYRIGHT_NOTICE:
            return Reason.COPYRIGHT
        case DemandKind.LOCAL_LAW_REPORT | DemandKind.VOLUNTARY:
            return Reason.LOCAL_LAW
        case _:
            return Reason.LEGAL_DEMAND


def disclosure_for(fields: Mapping[str, Any]) -> Disclosure:
    """Return what a notice may reveal: nothing if the user may not be notified (yet), everything if the authority may
    be named.

    >>> disclosure_for({"confidentiality": {"notify_user": {"is": "deny"}}})
    <Disclosure.NONE: 'none'>
    """
    flags = fields.get("confidentiality", {})
    if flags.get("notify_user", {}).get("is", Permission.ALLOW) != Permission.ALLOW:
        return Disclosure.NONE
    return (
        Disclosure.FULL if flags.get("name_authority_publicly", {}).get("is") == Permission.ALLOW else Disclosure.REASON
    )
