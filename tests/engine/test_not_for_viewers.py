"""Decisions and pages name demands and rules, so no web framework may publish them."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from pydantic import TypeAdapter, create_model

from withhold import Decision, Engine, Page, Rule, RuleSet, Tweet, TweetDecisions, Viewer

IN_INDIA = Viewer(country="IN")


@pytest.mark.parametrize(
    "model", [Decision, list[Decision], Decision | None, Page, Page[Tweet], dict[str, Page[int]], TweetDecisions]
)
def test_answers_for_operators_are_refused_as_response_models(model):
    with pytest.raises(TypeError, match=r"\[not-for-viewers\]; answer viewers with `Notice\.of\(decision\)`"):
        FastAPI().get("/", response_model=model)(lambda: None)
    with pytest.raises(TypeError, match=r"\[not-for-viewers\]"):
        create_model("Answer", it=(model, ...))


@pytest.mark.parametrize("viewer", [IN_INDIA, Viewer(country="US")])
def test_they_are_refused_without_a_response_model_too(viewer):
    """Also where nothing is hidden, so that the first try in development fails."""
    view = Engine(RuleSet([Rule(id="r", accounts=[17], withheld_in=["IN", "TR"], reason="terms")])).view(viewer)
    answers = [view.check(account_id=17), view.check(account_id=18), view.filter([(9, 17)])]
    for answer in (*answers, view.check_tweet(Tweet(9, 18))):
        app = FastAPI()
        app.get("/")(lambda answer=answer: {"it": [answer]})
        with pytest.raises(ValueError, match=r"not-for-viewers|page-is-no-collection"):
            asyncio.run(_get(app))
        with pytest.raises(ValueError, match="serialize"):
            TypeAdapter(object).dump_json(answer)


async def _get(app):
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client:
        return await client.get("/")
