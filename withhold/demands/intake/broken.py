"""URLs that a PDF file or a narrow column has broken into several parts.

Parts are joined only if the result is the URL of a tweet and nothing else fits. If both the first part alone and a
longer text name a target, the first part is an error: one of the two targets would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from withhold.demands.intake.cleaning import trim
from withhold.demands.intake.entries import Kind, Role, note
from withhold.demands.intake.hosts import is_own
from withhold.demands.intake.numbers import LONG, Reading, error
from withhold.demands.intake.targets import read_target
from withhold.errors import quoted

FRAGMENT = re.compile(r"[A-Za-z0-9_/?=&%.-]+", re.ASCII)
#: The largest number of parts that are joined to the first one.
MOST = 3
_AUTHORITY = re.compile(r"(?:https?://)?([^/?#]+)", re.IGNORECASE)


def is_platform_url(text: str) -> bool:
    """Return whether text begins like a URL of the platform, with or without a scheme."""
    found = _AUTHORITY.match(text)
    return found is not None and is_own(found[1])


def joined(text: str, alone: Reading, following: Sequence[str], newest: int) -> tuple[int, Reading]:
    """Return how many of the following tokens continue a URL, and the reading of the whole.

    `alone` is the reading of `text`. `newest` is the largest id that can be in the order.
    """
    if not following or not is_platform_url(text):
        return 0, alone
    parts: list[str] = []
    for token in following[:MOST]:
        part = trim(token)
        if not FRAGMENT.fullmatch(part) or not token.startswith(part):
            break
        parts.append(part)
    wholes = [read_target(text + "".join(parts[: count + 1]), Role.TARGET, newest) for count in range(len(parts))]
    fitting = {count: whole for count, whole in enumerate(wholes, 1) if _is_complete(whole)}
    keys = {whole.key for whole in fitting.values()}
    if _is_complete(alone):
        if keys - {alone.key}:
            return 0, _broken(text, parts[0], alone.kind)
        return (max(fitting), _noted(alone)) if fitting and parts[0][0] in "/?&=" else (0, alone)
    if len(keys) == 1:
        return max(fitting), _noted(fitting[max(fitting)])
    if keys or (parts and alone.key is not None and _may_go_on(alone, wholes[0], parts[0])):
        return 0, _broken(text, parts[0], alone.kind)
    return 0, alone


def _is_complete(reading: Reading) -> bool:
    return reading.kind is Kind.TWEET and reading.key is not None and len(reading.key) >= len("tweet:") + LONG


def _may_go_on(alone: Reading, whole: Reading, part: str) -> bool:
    if alone.kind is Kind.TWEET:
        return part.isdigit()
    return whole.key is not None and whole.key != alone.key


def _noted(reading: Reading) -> Reading:
    return reading._replace(
        notes=(*reading.notes, note("rejoined", "its parts were joined: only the whole is a tweet's URL"))
    )


def _broken(text: str, part: str, kind: Kind | None) -> Reading:
    message = f"{quoted(text)} may continue with {quoted(part)}"
    return error("broken-url", message, "compare it with the order: each of the two would name a target", kind)
