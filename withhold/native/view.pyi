from collections.abc import Sequence
from datetime import datetime

from withhold.engine.decider import Decider
from withhold.model.decision import Decision
from withhold.model.tweet import Tweet
from withhold.model.viewer import Standpoint, Viewer

class Answers: ...

class FastView:
    viewer: Viewer
    at: datetime
    _decider: Decider

    def __init__(
        self,
        decider: Decider,
        viewer: Viewer,
        at: datetime,
        standpoint: Standpoint,
        own: int | None,
        tweet_type: type[Tweet],
    ) -> None: ...
    def withholds(self, tweet_id: int, account_id: int) -> bool: ...
    def check(self, tweet_id: int | None = None, account_id: int | None = None) -> Decision: ...
    def _hits(self, subjects: list[object]) -> list[int]: ...
    def _mark(self, tweet_ids: Sequence[int], account_ids: Sequence[int], marks: bytearray) -> None: ...
