"""Prepare new rules for the questions that are asked most, so that pages do not wait for first decisions."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime
from heapq import nlargest

from withhold.engine.decider import Decider
from withhold.engine.views import open_view
from withhold.model.viewer import LocationKey, Viewer

_Question = tuple[int | None, int | None, LocationKey]

#: How many questions are asked from each of the 64 blocks of the cache, and the longest time for all of them in seconds.
_MOST_ASKED, _PATIENCE = 8, 0.3
#: The pause after each question, in seconds. Without it, a page could wait for the GIL for milliseconds.
_PAUSE = 0.0001


def prepare(decider: Decider, before: Decider, at: datetime) -> None:
    """Ask a new decider the questions that were asked most often of the one before, so that it has cached its answers.

    It asks at most 512, for at most 0.3 seconds, and does nothing without the modules in C. Raises `SnapshotError` if a
    rule cannot be read.
    """
    if decider.answers is None or before.answers is None:
        return
    end = time.monotonic() + _PATIENCE
    for block in before.answers.questions():
        asked: Counter[_Question] = Counter()
        for repeats, tweet_id, account_id, location_key in block:
            asked[tweet_id, account_id, location_key] += repeats  # a question has an answer for each of its periods
        for tweet_id, account_id, location_key in nlargest(_MOST_ASKED, asked, key=asked.__getitem__):
            if time.monotonic() > end:
                return
            # Answers for the viewer's own posts are not in this cache, so the viewer's account does not matter.
            view = open_view(decider, Viewer.located(location_key, None, None), at)
            view.check(tweet_id=tweet_id, account_id=account_id)
            time.sleep(_PAUSE)
