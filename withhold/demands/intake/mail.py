"""Find the lists in a mail: its text, and its attachments."""

from __future__ import annotations

import email
import email.message
import email.policy
from collections.abc import Iterator
from typing import NamedTuple


class Part(NamedTuple):
    """A part of a mail. The text of the mail itself has no name; `is_read` is False for HTML that repeats it."""

    name: str | None
    type: str
    data: bytes
    charset: str | None


def parts_of(data: bytes) -> Iterator[Part]:
    """Yield the parts of a mail, including the parts of forwarded mails. HTML beside the same text is left out."""
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    yield from _parts(message)


def _parts(message: email.message.Message) -> Iterator[Part]:
    children = message.get_payload()
    if message.is_multipart() and isinstance(children, list):
        inner = [child for child in children if isinstance(child, email.message.Message)]
        repeats = _kind(message) == "multipart/alternative" and any(_kind(child) == "text/plain" for child in inner)
        for child in inner:
            if not (repeats and _kind(child) == "text/html"):
                yield from _parts(child)
        return
    payload = message.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else str(message.get_payload()).encode("utf-8", "replace")
    charset = message.get_param("charset")
    name = message.get_filename()
    yield Part(name, _kind(message), data, charset if isinstance(charset, str) else None)


def _kind(message: email.message.Message) -> str:
    return message.get_content_type()
