"""Compare `filter` of tweets, of keyed items and of pages with named ids with `filter` of pairs that no rule names.

All questions are hot: each page is asked again and again, as the page of a popular account is.
"""

from __future__ import annotations

from typing import Any

from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.targets.files import Figures, spread
from benchmarks.targets.loaded import PAGE, Loaded
from benchmarks.targets.turns import ratio, take_turns
from benchmarks.workload import Pair
from withhold import Tweet

#: The number of pages of a turn, and of ids on the named page that rules name and hide from the viewer.
REPEATS, NAMED = 10, 5


def tweet(number: int, pair: Pair, inside: Pair) -> Tweet:
    """Return a plain tweet. Every fifth one is a retweet, and every fifth one a quote."""
    match number % 5:
        case 0:
            return Tweet(*pair, retweet_of=Tweet(*inside))
        case 1:
            return Tweet(*pair, quoted=Tweet(*inside))
    return Tweet(*pair)


def of_tweets(loaded: Loaded, turns: int) -> Figures:
    """Return the ratios. Raise `WrongAnswerError` if an answer is wrong."""
    view = loaded.view
    pairs = loaded.turns(0)[0][:PAGE]
    plain = [Tweet(*pair) for pair in pairs]
    mixed = [tweet(number, pair, pairs[number - 1]) for number, pair in enumerate(pairs)]
    named = list(pairs)
    places = range(PAGE // NAMED // 2, PAGE, PAGE // NAMED)
    for place, pair in zip(places, loaded.hits, strict=False):
        named[place] = pair
    wrong = [
        page
        for page in (pairs, plain, mixed)
        if view.filter(page).visible != page or view.filter(page).freshness != view.filter([]).freshness
    ]
    found = view.filter(named)
    if wrong or [index for index, _ in found.hidden] != [*places] or found.freshness == view.filter([]).freshness:
        raise WrongAnswerError("a page has other visible items than expected")

    def key(pair: Pair) -> Pair:
        return pair

    def built(_: Any) -> None:
        for _ in range(REPEATS):
            [Tweet(id=tweet_id, account_id=account_id) for tweet_id, account_id in pairs]

    def repeated(page: list[Any], **more: Any) -> Any:
        def run(_: Any) -> None:
            for _ in range(REPEATS):
                view.filter(page, **more).freshness  # noqa: B018

        return run

    def called(_: Any) -> None:
        for _ in range(REPEATS):
            [key(pair) for pair in pairs]

    contenders = {
        "pairs": repeated(pairs),
        "plain tweets": repeated(plain),
        "retweets and quotes": repeated(mixed),
        "key": repeated(pairs, key=key),
        "calls of the key alone": called,
        "five named": repeated(named),
        "500 tweets built": built,
    }
    took = take_turns(contenders, [None] * (turns + 1), REPEATS)
    figures: Figures = {
        name: ratio(took, name, "pairs") for name in ("plain tweets", "retweets and quotes", "key", "five named")
    }
    figures["500 tweets built"] = spread([nanoseconds / 1_000 for nanoseconds in took["500 tweets built"]])
    return figures
