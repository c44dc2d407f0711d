"""The WSGI middleware, inside and outside of the standard library's validator."""

from __future__ import annotations

from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from tests.serving.middleware import MALFORMED, PEER, answer, engine, resolver, sent_from
from withhold.location import Resolver
from withhold.serving.wsgi import WithholdWSGIMiddleware


def app(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Expires", "0"), ("Set-Cookie", "a=1")])
    return [answer(environ["withhold.request"]).encode()]


def call(application: Any, country: str, query: str = "") -> tuple[str, list[tuple[str, str]], str]:
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in sent_from(country).items()}
    environ: dict[str, Any] = {"REMOTE_ADDR": PEER, "QUERY_STRING": query, **headers}
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        started[:] = [status, headers]
        return lambda data: None

    body = application(environ, start_response)
    text = b"".join(body).decode()
    if hasattr(body, "close"):
        body.close()
    return *started, text


def test_it_passes_the_validator_on_both_sides():
    rules, located = engine(), resolver()
    inner = WithholdWSGIMiddleware(validator(app), rules, located, account=lambda environ: 5)
    made = validator(WithholdWSGIMiddleware(inner, rules, located))
    assert call(made, "IN")[2] == "IN [17] 5 False"
    assert call(made, "US")[2] == "US [] 5 False"


def test_previews():
    made = WithholdWSGIMiddleware(validator(app), engine(), resolver(), preview=lambda environ: True)
    status, headers, text = call(validator(made), "US", "as_if_in=IN")
    assert (status, text) == ("200 OK", "IN [17] None True")
    assert headers == [("content-type", "text/plain"), ("set-cookie", "a=1"), ("cache-control", "private, no-store")]


@pytest.mark.parametrize(("query", "code"), MALFORMED)
def test_a_malformed_preview_is_refused(query, code):
    made = WithholdWSGIMiddleware(validator(app), engine(), resolver(), preview=lambda environ: True)
    status, _, text = call(validator(made), "US", query)
    assert (status, f"[{code}]" in text) == ("400 Bad Request", True)
    assert call(validator(WithholdWSGIMiddleware(app, engine(), resolver())), "US", query)[0] == "200 OK"


def test_middleware_inside_cannot_change_the_sender():
    def rewritten(environ: Any, start_response: Any) -> Any:
        """Do as middleware that reads `X-Forwarded-For` does."""
        environ["REMOTE_ADDR"] = environ["HTTP_X_FORWARDED_FOR"]
        environ["HTTP_CF_IPCOUNTRY"] = "US"
        return app(environ, start_response)

    assert call(WithholdWSGIMiddleware(rewritten, engine(), resolver()), "IN")[2] == "IN [17] None False"
    fix = pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix
    assert call(WithholdWSGIMiddleware(fix(app), engine(), resolver()), "IN")[2] == "IN [17] None False"


def test_the_middleware_of_werkzeug_that_replaces_the_peer_is_refused():
    fix = pytest.importorskip("werkzeug.middleware.proxy_fix").ProxyFix
    with pytest.raises(ValueError, match="rewritten-peer"):
        call(fix(WithholdWSGIMiddleware(app, engine(), resolver())), "IN")
    with pytest.warns(RuntimeWarning, match="rewritten-peer"):
        call(fix(WithholdWSGIMiddleware(app, engine(), Resolver())), "IN")
