"""The search engine against a brute-force oracle: random records and random queries through the real REST API.

The oracle holds the records as Python dictionaries and knows nothing of SQL. More examples than the suite's, at random:
`SPANLOOP_ORACLE_EXAMPLES=2000 python -m pytest tests/integration/engine`.
"""

import math
import os
import re
from collections import Counter
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("SPANLOOP_ORACLE_EXAMPLES", "70"))

# --- random records and queries ---------------------------------------------------------------------------------------

spans = st.sampled_from([[], *([{"label": label, "start": 0, "end": 1}] for label in ("LOC", "PER"))])
values = {
    "entities": spans,
    "kind": st.sampled_from("abc"),
    "tags": st.lists(st.sampled_from("xyz"), min_size=1, max_size=2, unique=True),
    "stars": st.sampled_from((1, 2, 3)),
}
scores = st.sampled_from((0.0, 0.25, 0.5, 1.0))


@st.composite
def suggestions(draw, question):
    value = draw(values[question])
    score = st.lists(scores, min_size=len(value), max_size=len(value)) if isinstance(value, list) else scores
    return {
        "question": question,
        "value": value,
        "score": draw(st.none() | score) if value else None,
        "agent": draw(st.sampled_from((None, "m1", "m2"))),
        "type": draw(st.sampled_from((None, "model", "human"))),
    }


@st.composite
def responses(draw, user):
    status = draw(st.sampled_from(("submitted", "submitted", "draft", "discarded")))
    optional = {q: draw(values[q]) for q in ("kind", "tags", "stars") if draw(st.booleans())}
    return {"user": user, "status": status, "values": {"entities": draw(spans), **optional}}


@st.composite
def records(draw):
    metadata = {
        "group": draw(st.sampled_from((None, "a", "b", "c", ["a", "b"]))),
        "n": draw(st.sampled_from((None, -1, 0, 1, 20))),
        "priority": draw(st.sampled_from((None, 0.0, 0.25, 0.5, 1.5))),
    }
    return {
        "fields": {"text": "x"},
        "metadata": {k: v for k, v in metadata.items() if v is not None},
        "suggestions": [draw(suggestions(q)) for q in values if draw(st.booleans())],
        "responses": [draw(responses(user)) for user in range(3) if draw(st.booleans())],
        "vector": draw(st.none() | st.tuples(st.integers(-1, 2), st.integers(-1, 2)).filter(any)),
    }


DATES = ("inserted_at", "updated_at")
parts = ("value", "score", "agent", "type")
scopes = st.sampled_from(
    [{"entity": "metadata", "metadata_property": name} for name in ("group", "n", "priority")]
    + [{"entity": "suggestion", "question": q, "property": p} for q, p in product(values, parts)]
    + [{"entity": "response", "question": q} for q in values]
    + [{"entity": "record", "property": p} for p in ("status", "external_id", *DATES)]
)
lists = [  # several values in a record: the scopes with the most to get wrong
    {"entity": "metadata", "metadata_property": "group"},
    {"entity": "suggestion", "question": "tags", "property": "score"},
    {"entity": "response", "question": "stars"},
    {"entity": "response", "question": "tags"},
    {"entity": "response", "property": "status"},
]
keys = st.sampled_from(lists) | scopes
TERMS = ("a", "b", "x", "LOC", "m1", "model", "1", "-1", "0.25", "20", "pending", "completed", "r0")
terms = st.lists(st.sampled_from(TERMS), min_size=1, max_size=3)
statuses = st.lists(st.sampled_from(("pending", "draft", "submitted", "discarded")), min_size=1, unique=True)
bounds = st.sampled_from(((-1.0, None), (None, 0.25), (0.0, 0.5), (0.25, 20.0), (None, "b"), ("a", "b"), ("m", None)))


@st.composite
def filters(draw):
    if draw(st.integers(0, 2)) == 0:
        return {"type": "terms", "scope": {"entity": "response", "property": "status"}, "values": draw(statuses)}
    scope = draw(scopes)
    if scope.get("property") in DATES:
        return {"type": "range", "scope": scope, "ge": draw(st.integers(0, 5))}  # the moment of the n-th record
    if draw(st.booleans()):
        return {"type": "terms", "scope": scope, "values": draw(terms)}
    low, high = draw(bounds)
    return {"type": "range", "scope": scope, "ge": low, "le": high}


queries = st.fixed_dictionaries(
    {
        "user": st.sampled_from((None, 0, 1, 2)),
        "filters": st.just([]) | st.lists(filters(), max_size=3),
        "sort": st.none() | st.lists(st.tuples(keys, st.sampled_from(("asc", "desc"))), min_size=1, max_size=2),
        "vector": st.sampled_from((None,) * 4 + ((1, 0), (0.5, -1), (-1, 1))),
        "least": st.booleans(),
        "page": st.tuples(st.integers(0, 2), st.integers(5, 15)),
    }
)

# --- the oracle -------------------------------------------------------------------------------------------------------


def items(record, scope, user):
    """All values of a record in a scope."""
    if scope["entity"] == "metadata":
        found = record["metadata"].get(scope["metadata_property"])
    elif scope["entity"] == "record":
        found = record[scope["property"]]
    elif scope["entity"] == "suggestion":
        found = next((s[scope["property"]] for s in record["suggestions"] if s["question"] == scope["question"]), None)
    else:
        own = [r for r in record["responses"] if user is None or r["user"] == user]
        answers = [r["values"].get(scope["question"]) if "question" in scope else r["status"] for r in own]
        found = [x for answer in answers for x in as_list(answer)]
    return [x["label"] if isinstance(x, dict) else x for x in as_list(found)]


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def passes(record, query_filter, user, everything):
    scope = query_filter["scope"]
    if scope == {"entity": "response", "property": "status"}:
        own = {r["status"] for r in record["responses"] if user is None or r["user"] == user} or {"pending"}
        return bool(own & set(query_filter["values"]))
    found = items(record, scope, user)
    if query_filter["type"] == "terms":
        return any(same(x, term) for x in found for term in query_filter["values"])
    if is_dated(query_filter):
        return found[0] >= moment(query_filter, everything)
    return any(within(x, query_filter["ge"], query_filter["le"]) for x in found)


def is_dated(query_filter):
    return query_filter["scope"].get("property") in DATES


def same(value, term):
    return value == term if isinstance(value, str) else is_number(term) and value == float(term)


def within(value, low, high):
    given = [x for x in (low, high) if x is not None]
    if isinstance(value, str):
        return (low is None or value >= str(low)) and (high is None or value <= str(high))
    return all(map(is_number, given)) and (low is None or value >= low) and (high is None or value <= high)


def is_number(term):
    return bool(re.fullmatch(r"-?\d+(\.\d+)?", str(term)))


def moment(query_filter, everything):
    return everything[query_filter["ge"] % len(everything)][query_filter["scope"]["property"]]


def sort_by(found, sort, user):
    for scope, order in reversed(sort):
        keys = {record["id"]: sort_key(items(record, scope, user), scope, order) for record in found}
        present = [record for record in found if keys[record["id"]] is not None]
        absent = [record for record in found if keys[record["id"]] is None]
        found = sorted(present, key=lambda r, keys=keys: keys[r["id"]], reverse=order == "desc") + absent
    return found


def sort_key(found, scope, order):
    if found and scope["entity"] == "response" and not isinstance(found[0], str):
        return sum(found) / len(found)  # ratings of several annotators
    return (max if order == "desc" else min)(found, default=None)


def likeness(a, b):
    return (1 + (a[0] * b[0] + a[1] * b[1]) / (math.hypot(*a) * math.hypot(*b))) / 2


# --- the tests --------------------------------------------------------------------------------------------------------


@settings(
    max_examples=EXAMPLES,
    derandomize="SPANLOOP_ORACLE_EXAMPLES" not in os.environ,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(drawn=st.lists(records(), min_size=3, max_size=10), asked=st.lists(queries, min_size=6, max_size=6))
def test_searches_answer_as_brute_force_does(board, drawn, asked):
    everything = board.log(drawn)
    try:
        for query in asked:
            check(board, everything, query)
        check_counts(board, everything)
    finally:
        board.clear(everything)


def ask(board, query, everything, offset, limit):
    """Ask the server: pairs of record id and score, and the number of matches."""
    body = {}
    if query["vector"]:
        order = "least_similar" if query["least"] else "most_similar"
        body["query"] = {"vector": {"name": "v", "value": query["vector"], "order": order}}
    if query["filters"]:
        dated = [f | {"ge": moment(f, everything)} if is_dated(f) else f for f in query["filters"]]
        body["filters"] = {"and": dated}
    if query["sort"]:
        body["sort"] = [{"scope": scope, "order": order} for scope, order in query["sort"]]
    items, total = board.search(query["user"], offset, limit, **body)
    return [(item["record"]["id"], item["query_score"]) for item in items], total


def check(board, everything, query):
    user, (offset, limit) = query["user"], query["page"]
    expected = [r for r in everything if all(passes(r, f, user, everything) for f in query["filters"])]
    found, total = ask(board, query, everything, offset, limit)
    if query["vector"]:
        check_likeness(query, [r for r in expected if r["vector"]], found, total)
        return
    assert total == len(expected)
    if query["sort"] or user is None:
        wanted = sort_by(expected, query["sort"] or [], user)
        assert [id for id, _ in found] == [r["id"] for r in wanted[offset : offset + limit]]
    else:  # by chance, the same each time
        whole, _ = ask(board, query, everything, 0, 50)
        assert {id for id, _ in whole} == {r["id"] for r in expected}
        assert [score for _, score in whole] == sorted((score for _, score in whole), reverse=True)
        assert found == whole[offset : offset + limit]


def check_likeness(query, candidates, found, total):
    offset, limit = query["page"]
    towards = [-x for x in query["vector"]] if query["least"] else query["vector"]
    wanted = {r["id"]: likeness(r["vector"], towards) for r in candidates}
    best = sorted(wanted.values(), reverse=True)[offset : offset + limit]
    assert total == min(len(wanted), offset + limit)
    assert [score for _, score in found] == pytest.approx(best)
    assert dict(found) == pytest.approx({id: wanted[id] for id, _ in found})


def check_counts(board, everything):
    progress = board.ask("GET", f"{board.path}/progress")
    completed = sum(r["status"] == "completed" for r in everything)
    assert (progress["total"], progress["completed"]) == (len(everything), completed)
    for user in range(3):
        mine = Counter(x["status"] for r in everything for x in r["responses"] if x["user"] == user)
        wanted = {status: mine[status] for status in ("submitted", "draft", "discarded")}
        wanted |= {"total": len(everything), "pending": len(everything) - mine.total()}
        assert board.ask("GET", f"/me{board.path}/metrics", user)["responses"] == wanted
    for name, property_id in board.metadata.items():
        metrics = board.ask("GET", f"/metadata-properties/{property_id}/metrics")
        have = [x for r in everything for x in items(r, {"entity": "metadata", "metadata_property": name}, None)]
        if name == "group":
            assert {x["term"]: x["count"] for x in metrics["values"]} == Counter(have)
            assert metrics["total"] == len(have)
        else:
            assert (metrics["min"], metrics["max"]) == (min(have, default=None), max(have, default=None))
