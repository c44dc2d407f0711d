"""The answer for a single tweet or profile that is hidden: 451 (RFC 7725), or the answer for one that does not exist.

A feed answers 200 and leaves hidden items out. This is for the page of one tweet or one account.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Literal
from urllib.parse import urlsplit

from withhold.errors import quoted
from withhold.location.headers import Headers, Lines
from withhold.model import Decision, Reason, Scope
from withhold.serving.languages import NoticeText, Wordings
from withhold.serving.notices import DemandDetails, Notice

#: Reasons that are legal demands in the sense of RFC 7725. The terms of service are not.
_LEGAL = frozenset((Reason.LEGAL_DEMAND, Reason.LOCAL_LAW, Reason.COPYRIGHT))
_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title lang="en">{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }}</style></head>
<body><main><h1 lang="en" dir="ltr">{title}</h1><p>{text}</p></main></body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer to send: its status, its headers in lower case, and its body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def for_head(self) -> Response:
        """Return the answer to a HEAD request: the same status and headers, without the body."""
        return Response(self.status, self.headers, b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Answers for a single tweet or profile that the viewer may not see. Immutable; threads may share it.

    - `operator`: the URL of the service, which does the blocking. RFC 7725 names it in `Link`, not the authority.
    - `removed`: the status for a subject that is withheld for `terms` or suspended: 404 or 410.
    - `wordings`: the languages of the text; by default English.
    - `details`: what may be said of demands, by their ids. It is used only if the rules' `disclosure` is `full`.

    The answer depends on the decision alone, not on whether the tweet exists. If a rule names an account, a decision on one of
    its tweets needs the author's id. So the URL must contain the author. Otherwise, the answers for a tweet that exists and for
    one that does not would differ.

    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> rules = RuleSet([Rule(id="in-1", tweets=[20], withheld_in=["IN"], reason="legal_demand", demand="IN-D1")])
    >>> view = Engine(rules).view(Viewer(country="IN"))
    >>> answers = Unavailable(operator="https://feed.example/")
    >>> found = answers.to(view.check(tweet_id=20, account_id=17))
    >>> found.status, dict(found.headers)["link"]
    (451, '<https://feed.example/>; rel="blocked-by"')
    >>> answers.to(view.check(tweet_id=21, account_id=17)) is None
    True

    Raises `ValueError` for an `operator` that is no absolute URL (`bad-operator`) and for another `removed` (`bad-status`), and
    `ImportError` (`missing-extra`) without Babel.
    """

    operator: str
    removed: Literal[404, 410] = 404
    wordings: Wordings = field(default_factory=Wordings)
    details: Mapping[str, DemandDetails] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = urlsplit(self.operator)
        if parts.scheme not in ("http", "https") or not parts.netloc or not _is_plain(self.operator):
            raise ValueError(f"operator {quoted(self.operator)} is not the URL of the service [bad-operator]")
        if self.removed not in (404, 410):
            raise ValueError(f"removed {quoted(self.removed)} is neither 404 nor 410 [bad-status]")

    def to(
        self,
        decision: Decision,
        request: Headers = (),
        *,
        about: Scope = Scope.TWEET,
        exists: bool = True,
    ) -> Response | None:
        """Return the answer for a decision, or None if the viewer may see the subject and it exists.

        `request` has the headers of the request. The text is in the best language for `Accept-Language`. The body is JSON
        (`application/problem+json`, RFC 9457) if `Accept` names JSON and not HTML, and HTML otherwise. `about` is what the
        URL names. If it does not exist, pass `exists=False`: the answer is that of `missing`, unless a rule names its ids.

        A rule whose `disclosure` is `none` gets exactly the answer of `missing`. Raises `TypeError` (`bad-headers`) for
        headers in a form that is not understood.
        """
        if decision.visible:
            return None if exists else self.missing(request, about=about)
        notice = Notice.of(decision, details=self.details, about=about)
        if notice is None or notice.kind == "unavailable":
            return self.missing(request, about=about)
        is_legal = notice.kind == "withheld" and notice.reason in _LEGAL
        status = 451 if is_legal else self.removed
        more = [("link", f'<{self.operator}>; rel="blocked-by"')] if is_legal else []
        return self._answer(status, notice, request, more)

    def missing(self, request: Headers = (), *, about: Scope = Scope.TWEET) -> Response:
        """Return the answer for a tweet or an account that does not exist. Send it for those that are not found, too."""
        return self._answer(404, Notice.unavailable(about), request, [])

    def _answer(self, status: int, notice: Notice, request: Headers, more: list[tuple[str, str]]) -> Response:
        lines = Lines.of(request)
        accept, languages = (",".join(lines.get(name)) for name in ("accept", "accept-language"))
        text = self.wordings.text(notice, languages)
        title = HTTPStatus(status).phrase
        kind, body = _problem(status, title, notice, text) if _wants_json(accept) else _page(title, text)
        headers = (
            ("content-type", kind),
            ("content-length", str(len(body))),
            ("content-language", text.language),
            # 451, 404 and 410 may be cached by default, and a cache does not know where its next reader is.
            ("cache-control", "private, no-store"),
            ("vary", "accept, accept-language"),
            ("x-content-type-options", "nosniff"),
            *more,
        )
        return Response(status, headers, body)


def _page(title: str, text: NoticeText) -> tuple[str, bytes]:
    page = _PAGE.format(
        language=text.language,
        direction=text.direction,
        title=escape(title),
        text=escape(text.text),
    )
    return "text/html; charset=utf-8", page.encode()


def _problem(status: int, title: str, notice: Notice, text: NoticeText) -> tuple[str, bytes]:
    """Return a problem document (RFC 9457). Its type is `about:blank`, so its title is that of the status."""
    found: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": text.text}
    extensions = {
        "key": notice.key,
        "reason": notice.reason,
        "withheld_in": list(notice.withheld_in),
        "except_in": list(notice.except_in),
        "authority": notice.authority,
        "law": notice.law,
        "persons": notice.persons,
    }
    found |= {name: value for name, value in extensions.items() if value}
    return "application/problem+json", json.dumps(found, ensure_ascii=False).encode()


def _wants_json(accept: str) -> bool:
    kinds = accept.lower()
    return "json" in kinds and "html" not in kinds


def _is_plain(url: str) -> bool:
    """Return whether a URL can stand in a header: no blank, no control character, and nothing that ends the brackets."""
    return url.isascii() and url.isprintable() and not any(char in url for char in ' <>"\\')
