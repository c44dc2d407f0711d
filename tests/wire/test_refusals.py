"""Records that are refused, each with its code, and what happens to the others."""

from __future__ import annotations

import io
import json

import pytest

from tests.wire.material import AT, read_text
from withhold import Place, RuleSet, WireError
from withhold.wire import FORMS, load_ids, read, records, rules_of, write

#: The content of a record in a form, and the code of its refusal.
REFUSED = [
    ("v1", "{", "bad-json"),
    ("v1", '{"id":1,"id":2,"text":""}', "repeated-key"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":["IN"],"withheld_in_countries":[]}', "repeated-key"),
    ("v1", '{"id":1} {"id":2}', "bad-json"),
    ("v1", '{"id":NaN}', "bad-json"),
    ("v1", b'{"id":1,"text":"\xff"}', "bad-json"),
    ("v1", '{"id":' + "9" * 5000 + "}", "bad-json"),
    ("v1", "[" * 100_000, "bad-json"),
    ("v1", '{"a":' * 900 + "1" + "}" * 900, "bad-id"),
    ("v1", "17", "bad-event"),
    ("v1", "{}", "bad-id"),
    ("v1", '{"id":true,"text":""}', "bad-id"),
    ("v1", '{"id":1.5e18,"text":""}', "lossy-id"),
    ("v1", '{"id":0,"text":""}', "id-out-of-range"),
    ("v1", '{"id":9223372036854775808,"text":""}', "id-out-of-range"),
    ("v1", '{"id":1,"id_str":"@jack","text":""}', "bad-id"),
    ("v1", '{"id":601430178305220600,"id_str":"601430178305999999","text":""}', "ids-differ"),
    ("v1", '{"id":601430178305000000000,"id_str":"601430178305220608","text":""}', "ids-differ"),
    ("v1", '{"id":135566710682104627,"text":"","withheld_in_countries":"IN;TR"}', "unknown-territory"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":["DR"]}', "unknown-territory"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":["USA","China"]}', "unknown-territory"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":["US-MS"]}', "unknown-territory"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":[["IN"]]}', "bad-event"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":[1]}', "bad-event"),
    ("v1", '{"id":1,"text":"","withheld_in_countries":{"IN":1}}', "bad-event"),
    ("v1", '{"id":1,"text":"","withheld_copyright":"yes"}', "bad-event"),
    ("v1", '{"id":1,"text":"","withheld_scope":"tweet"}', "bad-event"),
    ("v1", '{"id":1,"text":"","withheld_scope":"user","withheld_in_countries":["IN"]}', "no-account"),
    ("v1", '{"id":1,"text":"","user":[]}', "bad-event"),
    ("v1", '{"id":1,"text":"","quoted_status":{"id":2,"withheld_scope":"all"}}', "bad-event"),
    ("stream", '{"status_witheld":{"id":1}}', "unknown-event"),
    ("stream", "{}", "unknown-event"),
    ("stream", '{"user_withheld":{"id":1}}', "bad-event"),
    ("stream", '{"user_withheld":[]}', "bad-event"),
    ("stream", '{"user_withheld":{"id":1,"withheld_in_countries":[]},"status_withheld":{}}', "bad-event"),
    ("gnip", '{"status_withheld":{"id":1,"withheld_in_countries":["IN"],"timestamp_ms":"1"}}', "bad-event"),
    ("gnip", '{"user_withheld":{"user":{"id":1},"withheld_in_countries":[],"timestamp_ms":"-1"}}', "not-an-instant"),
    ("gnip", '{"user_withheld":{"user":{"id":1},"withheld_in_countries":[],"timestamp_ms":1e3}}', "not-an-instant"),
    (
        "gnip",
        '{"user_withheld":{"user":{"id":1},"withheld_in_countries":[],"timestamp_ms":"' + "9" * 15 + '"}}',
        "not-an-instant",
    ),
    (
        "gnip",
        '{"user_withheld":{"user":{"id":1},"withheld_in_countries":[],"timestampMs":"2014-08-27T23:49:41"}}',
        "naive-instant",
    ),
    ("activity", '{"verb":"user_withheld","object":{"id":"tag:search.twitter.com,2005:status/1"}}', "bad-id"),
    ("activity", '{"verb":"status_withheld","object":{"id":"id:twitter.com:1"}}', "bad-id"),
    ("activity", '{"verb":"status_withheld","object":{"id":"20"}}', "bad-id"),
    ("activity", '{"verb":"withheld"}', "unknown-event"),
    ("v2", '{"id":"1","withheld":{"country_codes":["IN"]}}', "ambiguous-subject"),
    ("v2", '{"id":"1","text":"","withheld":{"copyright":false,"country_codes":["IN"],"scope":"user"}}', "no-account"),
    ("v2", '{"id":"1","text":"","withheld":{"copyright":false,"country_codes":"IN"}}', "bad-event"),
    ("v2", '{"id":"1","text":"","withheld":{"scope":"status?"}}', "bad-event"),
    (
        "compliance",
        '{"data":{"withheld":{"tweet":{"id":"1"},"withheld_in_countries":[],"event_at":"2021-07-06T18:40:40Z"}}}',
        "no-countries",
    ),
    ("compliance", '{"data":{"withheld":{"tweet":{"id":"1"},"withheld_in_countries":["IN"]}}}', "not-an-instant"),
    (
        "compliance",
        '{"data":{"withheld":{"tweet":{"id":"1"},"withheld_in_countries":["IN"],"event_at":"2021-02-30T00:00:00.000Z"}}}',
        "not-an-instant",
    ),
    ("compliance", '{"data":{"hidden":{}}}', "unknown-event"),
    ("compliance", '{"data":[]}', "bad-event"),
    ("labels", "[1]", "bad-event"),
    ("labels", '{"data":{"public_tweet_unviewable":{"application":"applied"}}}', "bad-event"),
    ("takedowns", "kind,id,labels\nuser,1,Dmca", "unknown-kind"),
    ("takedowns", "kind,id,labels\ntweet,1,Dcma", "bad-label"),
    ("takedowns", "kind,id,labels\ntweet,1,LegalRequest", "bad-label"),
    ("takedowns", "kind,id,labels\ntweet,1,LegalRequest(de", "bad-label"),
    ("takedowns", "kind,id,labels\ntweet,1,Dmca(de)", "bad-label"),
    ("takedowns", f"kind,id,labels\ntweet,1,Dmca{' ' * 120_000}!", "bad-label"),
    ("takedowns", f"kind,id,labels\ntweet,1,LegalRequest:de{' ' * 120_000}!", "bad-label"),
    ("takedowns", f"kind,id,labels\ntweet,1,{'d' * 120_000}!", "bad-label"),
    ("takedowns", f"kind,id,labels\ntweet,1,LegalRequest{'(' * 120_000}", "bad-label"),
    ("takedowns", "kind,id,labels\ntweet,1,LegalRequest(zz)", "unknown-territory"),
    ("takedowns", "kind,id,labels\ntweet,1,Dmca,2021", "bad-csv"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n1,withheld,", "bad-event"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n1,not_withheld,DE", "bad-event"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n1,hidden,DE", "bad-event"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n7.3E+17,withheld,DE", "lossy-id"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n1,withheld,DE FR", "unknown-territory"),
    ("buzzfeed", "user_id,withheld_category,withheld_in_countries\n732198000000000000,withheld,DE", "lossy-id"),
    ("youtube", '{"id":"zzzzzzzzzzz","contentDetails":{}}', "unmapped-subject"),
    ("youtube", '{"id":{"videoId":"aaaaaaaaaaa"},"contentDetails":{}}', "unmapped-subject"),
    ("youtube", '{"id":"aaaaaaaaaaa","contentDetails":{"regionRestriction":{"allowed":[],"blocked":[]}}}', "bad-event"),
    (
        "bluesky",
        '{"src":"did:plc:cquoj7aozvmkud2gifeinkda","val":"!hide","uri":"did:plc:zzz","cts":"2025-04-14T10:00:00Z"}',
        "unmapped-subject",
    ),
    (
        "bluesky",
        '{"src":"did:plc:cquoj7aozvmkud2gifeinkda","val":"!hide","uri":"did:plc:aaa","cts":"2025-04-14"}',
        "not-an-instant",
    ),
    (
        "bluesky",
        '{"src":"did:plc:cquoj7aozvmkud2gifeinkda","val":"!hide","neg":1,"uri":"did:plc:aaa","cts":"2025-04-14T10:00:00Z"}',
        "bad-event",
    ),
    ("odysee", '{"videos":{"aaa":{"continents":[{"id":"EU"}]}}}', "unknown-territory"),
    ("odysee", '{"videos":{"aaa":{"specials":[{"id":"US-ONLY"}]}}}', "unknown-territory"),
    ("odysee", '{"livestreams":{"aaa":{"countries":[{"id":"DE"}]}}}', "cannot-say"),
    ("odysee", '{"streams":{}}', "unknown-event"),
]


@pytest.mark.parametrize(("form", "text", "code"), REFUSED)
def test_a_malformed_record_is_refused(form, text, code):
    found = read_text(form, text)
    assert [problem.code for problem in found.problems] == [code]
    assert (found.given, found.read, found.refused, found.events) == (1, 0, 1, [])


def test_a_malformed_event_among_many_is_reported_with_its_line_and_the_rest_is_read():
    lines = [json.dumps({"user_withheld": {"id": id_, "withheld_in_countries": ["IN"]}}) for id_ in range(1, 1001)]
    lines[499:500] = ["", "{broken", ""]
    found = read_text("stream", "\n".join(lines))
    assert (found.given, found.read, found.refused) == (1000, 999, 1)
    assert [problem.place for problem in found.problems] == [Place("a.stream", 501)]
    (rule,) = rules_of(found.events, "stream")
    assert (len(rule.accounts), rule.from_) == (999, AT)


def test_a_first_line_that_is_malformed_hides_no_other():
    found = read_text("stream", '{\n{"user_withheld":{"id":1,"withheld_in_countries":["IN"]}}\n{"a"\n')
    assert (found.given, found.read) == (3, 1)
    assert [problem.place for problem in found.problems] == [Place("a.stream", 1), Place("a.stream", 3)]


def test_only_a_hundred_problems_are_kept_and_all_are_counted():
    found = read_text("v1", "{}\n" * 250)
    assert (found.given, found.refused, len(found.problems)) == (250, 250, 100)


def test_long_lines_and_long_documents_are_read_in_bounded_memory(monkeypatch):
    monkeypatch.setattr(records, "MAX_LINE", 100)
    monkeypatch.setattr(records, "MAX_DOCUMENT", 300)
    line = '{"user_withheld":{"id":1,"withheld_in_countries":["IN"]}}'
    found = read_text("stream", "\n".join([line, f'{{"a":"{"x" * 500}"}}', line]))
    assert [(problem.code, problem.place) for problem in found.problems] == [("too-long", Place("a.stream", 2))]
    assert (found.given, found.read) == (3, 2)
    found = read_text("stream", "\n".join(["{", *[line] * 20]))
    assert (found.given, found.read) == (21, 20)
    assert [problem.place for problem in found.problems] == [Place("a.stream", 1)]


def test_a_document_over_several_lines_is_read():
    found = read_text("v1", json.dumps([{"id": 1, "text": ""}, {"id": "x"}], indent=2))
    assert (found.given, found.read) == (2, 1)


def test_numeric_ids_that_were_rounded_are_refused_and_exact_ones_are_kept():
    """JavaScript rounds ids to multiples of 128 or so, and prints zeros at the end."""
    exact = [1346889436626259968 + 4096 * 7919 * number + number % 9 for number in range(60)]
    rounded = [int(repr(float(id_)).partition("e")[0].replace(".", "").ljust(19, "0")) for id_ in exact]
    for ids, refused in ((exact, 0), (rounded, 60)):
        lines = [json.dumps({"status_withheld": {"id": id_, "withheld_in_countries": ["IN"]}}) for id_ in ids]
        found = read_text("stream", "\n".join(lines))
        assert (found.refused, {problem.code for problem in found.problems}) == (
            refused,
            {"lossy-id"} if refused else set(),
        )
        assert len(found.events) == 60 - refused
    texts = [json.dumps({"status_withheld": {"id_str": str(id_), "withheld_in_countries": ["IN"]}}) for id_ in rounded]
    assert read_text("stream", "\n".join(texts)).refused == 0


@pytest.mark.parametrize("form", [form for form in FORMS.values() if not form.dated], ids=lambda form: form.name)
def test_a_form_without_instants_needs_one(form):
    with pytest.raises(WireError, match="no-instant"):
        read(form, io.BytesIO(b""), "a", theirs={})


def test_a_form_that_can_only_be_read_is_not_written():
    with pytest.raises(WireError, match="the form `youtube` can only be read"):
        write(FORMS["youtube"], RuleSet(), AT)


@pytest.mark.parametrize("form", [form for form in FORMS.values() if form.needs_ids], ids=lambda form: form.name)
def test_a_form_with_other_ids_needs_a_table_of_them(form):
    with pytest.raises(WireError, match="no-table-of-ids"):
        read(form, io.BytesIO(b""), "a", at=AT)


def test_a_table_without_its_columns_is_refused_as_a_whole():
    with pytest.raises(WireError, match="columns are missing or repeated: `labels`"):
        read_text("takedowns", "kind,id\ntweet,1\n")


def test_every_problem_of_a_table_of_ids_is_reported(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("theirs,kind,id\na,tweet,1\na,tweet,1\na,tweet,2\nb,user,3\nc,tweet,1e5\nd\n")
    with pytest.raises(WireError) as caught:
        load_ids(path)
    codes = [(4, "repeated-subject"), (5, "unknown-kind"), (6, "lossy-id"), (7, "bad-csv")]
    assert [(each.place, each.code) for each in caught.value.problems] == [
        (Place(str(path), *at), code) for *at, code in codes
    ]
