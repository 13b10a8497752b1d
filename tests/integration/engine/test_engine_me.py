"""What an annotator's queue is made of: `/me/` searches, as the annotation page asks them."""

import pytest

PENDING = {"type": "terms", "scope": {"entity": "response", "property": "status"}, "values": ["pending"]}
UNFINISHED = {"type": "terms", "scope": {"entity": "record", "property": "status"}, "values": ["pending"]}
QUEUE = {"and": [PENDING, UNFINISHED]}
ANN, BOB = 1, 2


def ids(answer):
    return [item["record"]["external_id"] for item in answer[0]]


def by(order="desc", **scope):
    return [{"scope": scope, "order": order}]


def by_priority(order):
    return by(order, entity="metadata", metadata_property="priority")


def texts(*metadata):
    return [{"fields": {"text": f"text {i}"}, "metadata": dict(m)} for i, m in enumerate(metadata)]


def suggested(score, label="LOC"):
    spans = [{"label": label, "start": i, "end": i + 1} for i in range(len(score or [0]))]
    return {"fields": {"text": "one two"}, "suggestions": [{"question": "entities", "value": spans, "score": score}]}


def test_a_draft_leaves_the_queue_of_its_author_only(empty):
    first, *_ = empty.log(texts({}, {}, {}))
    empty.respond(ANN, first, "draft")
    oldest = by("asc", entity="record", property="inserted_at")
    assert ids(empty.search(ANN, filters=QUEUE, sort=oldest)) == ["r1", "r2"]
    assert ids(empty.search(BOB, filters=QUEUE, sort=oldest)) == ["r0", "r1", "r2"]
    assert ids(empty.search(filters={"and": [PENDING]})) == ["r1", "r2"], "pending for all: nobody responded at all"
    drafts = {"and": [PENDING | {"values": ["draft"]}]}
    assert (ids(empty.search(ANN, filters=drafts)), ids(empty.search(BOB, filters=drafts))) == (["r0"], [])


def test_a_completed_record_leaves_every_queue(empty):
    first, *_ = empty.log(texts({}, {}))
    empty.respond(ANN, first, "submitted")
    assert "r0" in ids(empty.search(BOB, filters=QUEUE))
    empty.respond(0, first, "submitted")
    assert ids(empty.search(BOB, filters=QUEUE)) == ["r1"]
    assert ids(empty.search(BOB, filters={"and": [UNFINISHED | {"values": ["completed"]}]})) == ["r0"]


def test_a_user_sees_the_own_response_only(empty):
    first, *_ = empty.log(texts({}))
    empty.respond(ANN, first, "submitted")
    empty.respond(BOB, first, "discarded")
    for user, status in ((ANN, "submitted"), (BOB, "discarded")):
        (item,), _ = empty.search(user)
        assert [r["status"] for r in item["record"]["responses"]] == [status]


def test_progress_counts_the_own_responses(empty):
    first, second, *_ = empty.log(texts({}, {}, {}))
    empty.respond(ANN, first, "submitted")
    empty.respond(BOB, first, "draft")
    empty.respond(BOB, second, "discarded")
    mine = empty.ask("GET", f"/me{empty.path}/metrics", ANN)["responses"]
    assert mine == {"total": 3, "submitted": 1, "discarded": 0, "draft": 0, "pending": 2}
    progress = empty.ask("GET", f"{empty.path}/progress")
    assert (progress["total"], progress["completed"], progress["pending"]) == (3, 0, 3)
    assert len(progress["users"]) >= 2


@pytest.mark.parametrize(("order", "queue"), [("desc", ["r2", "r0", "r1", "r3"]), ("asc", ["r0", "r2", "r1", "r3"])])
def test_records_without_priority_come_last_both_ways(empty, order, queue):
    empty.log(texts({"priority": 0.25}, {}, {"priority": 0.75}, {}))
    assert ids(empty.search(ANN, filters=QUEUE, sort=by_priority(order))) == queue


def test_without_a_sort_the_order_is_random_and_everyones_own(empty):
    empty.log(texts(*[{}] * 40))
    whole = {user: ids(empty.search(user)) for user in (ANN, BOB)}
    assert sorted(whole[ANN]) == sorted(whole[BOB])
    assert whole[ANN] != whole[BOB]
    assert whole[ANN] not in (sorted(whole[ANN]), [f"r{i}" for i in range(40)])
    paged = [id for offset in range(0, 40, 7) for id in ids(empty.search(ANN, offset, 7))]
    assert paged == whole[ANN], "the same on every page and at every call"


def test_scores_of_spans_sort_by_their_least_or_greatest_and_match_if_one_does(empty):
    empty.log([suggested([0.2, 0.9]), suggested([0.4, 0.5]), suggested(None)])
    score = {"entity": "suggestion", "question": "entities", "property": "score"}
    assert ids(empty.search(ANN, sort=by("asc", **score))) == ["r0", "r1", "r2"]
    assert ids(empty.search(ANN, sort=by("desc", **score))) == ["r0", "r1", "r2"]
    between = {"and": [{"type": "range", "scope": score, "ge": 0.45, "le": 0.6}]}
    assert ids(empty.search(ANN, filters=between)) == ["r1"]
    above = {"and": [{"type": "range", "scope": score, "ge": 0.45}]}
    assert sorted(ids(empty.search(ANN, filters=above))) == ["r0", "r1"]


def test_spans_are_found_by_their_label(empty):
    empty.log([suggested([0.5], "LOC"), suggested([0.5], "PER")])
    value = {"entity": "suggestion", "question": "entities", "property": "value"}
    assert ids(empty.search(ANN, filters={"and": [{"type": "terms", "scope": value, "values": ["PER"]}]})) == ["r1"]


def test_a_day_as_the_upper_bound_is_the_whole_day(empty):
    (record,) = empty.log(texts({}))
    day = record["inserted_at"][:10]
    inserted = {"entity": "record", "property": "inserted_at"}
    for bound, match in (
        ({"le": day}, 1),
        ({"ge": day}, 1),
        ({"le": "2020-01-01"}, 0),
        ({"ge": f"{day}T23:59:59.999999Z"}, 0),
    ):
        assert empty.search(filters={"and": [{"type": "range", "scope": inserted, **bound}]})[1] == match, bound


def test_agents_are_offered_as_filters(empty):
    empty.log([suggested([0.5]) | {"suggestions": [{"question": "kind", "value": "a", "agent": "v0001"}]}])
    options = empty.ask("GET", f"{empty.path}/records/search/suggestions/options")["items"]
    assert {item["question"]["name"]: item["agents"] for item in options}["kind"] == ["v0001"]


BAD = {
    "no date": {
        "filters": {"and": [{"type": "range", "scope": {"entity": "record", "property": "inserted_at"}, "ge": "x"}]}
    },
    "no property": {"sort": by(entity="response")},
    "no such metadata": {"sort": by(entity="metadata", metadata_property="nothing")},
    "no such field": {"query": {"text": {"q": "x", "field": "nothing"}}},
    "no such vector": {"query": {"vector": {"name": "nothing", "value": [1, 0]}}},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_a_query_that_makes_no_sense_is_refused(board, body):
    answer = board.http.post(
        f"/me{board.path}/records/search", json=body, headers={"X-Argilla-Api-Key": board.keys[ANN]}
    )
    assert answer.status_code == 422
