"""What everything that answers has in common."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from withhold.model.decision import Decision
from withhold.model.tweet import Subject
from withhold.model.viewer import Viewer


class Checker(Protocol):
    """`Engine`, `Reference`, and whatever is to be held to the same answers."""

    def check(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Decision: ...

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision: ...
