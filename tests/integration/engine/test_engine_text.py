"""Text queries against a brute-force oracle, and the full-text index after every way of changing a record."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = ("river", "Bank", "riverside", "rain", "naïve", "don't", "COVID-19", "x")
TEXTS = (
    "The river, the BANK and the rain.",
    "riverside bank; river bank",
    "Don't go to the (bank)!\r\nIt rains x",
    "don t x bank river",
    "COVID-19 in Århus, naïve COVID 19",
    "Naive covid19 🙂 river🙂bank",
    "在中国的河岸 river",
    "bank bank bank bank",
    'quote " and \\ and * and NEAR(river bank)',
    "x_river covid",
)

# A query is a list of (operator, negated, atom); an atom is a word, the beginning of one, a phrase, or a query.
pairs = st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)).map(" ".join)
leaves = st.one_of(
    st.tuples(st.just("word"), st.sampled_from(WORDS)),
    st.tuples(st.just("prefix"), st.sampled_from(("riv", "BA", "中国", "covid-1", "nai"))),
    st.tuples(st.just("phrase"), pairs),
)


def queries_of(atoms):
    parts = st.tuples(st.sampled_from(("and", "or")), st.integers(0, 3).map(lambda x: x == 0), atoms)
    return st.lists(parts, min_size=1, max_size=4)


queries = queries_of(leaves | st.tuples(st.just("query"), queries_of(leaves)))


def render(query):
    shown = []
    for i, (operator, negated, (kind, what)) in enumerate(query):
        atom = {"word": what, "prefix": f"{what}*", "phrase": f'"{what}"'}.get(kind) or f"({render(what)})"
        shown += ["|"] * (operator == "or" and i > 0) + ["-" * negated + atom]
    return " ".join(shown)


def holds(fields, query):
    """Whether the texts of a record match; operators are taken from left to right."""
    result = None
    for operator, negated, (kind, what) in query:
        one = holds(fields, what) if kind == "query" else any(found_in(text, kind, what) for text in fields)
        one = one != negated
        result = one if result is None else (result and one) if operator == "and" else (result or one)
    return result


def found_in(text, kind, what):
    if "中" in what:
        return what in text
    wanted, there = words(what), words(text)
    for i in range(len(there) - len(wanted) + 1):
        here = there[i : i + len(wanted)]
        if here == wanted or (kind == "prefix" and here[:-1] == wanted[:-1] and here[-1].startswith(wanted[-1])):
            return True
    return False


def words(text):
    return re.findall(r"[^\W_]+", text.lower())


def search(board, text, field=None, **more):
    items, total = board.search(query={"text": {"q": text, "field": field}}, **more)
    assert total == len(items)
    return items


def found(board, text, field=None, **more):
    return {item["record"]["external_id"] for item in search(board, text, field, **more)}


def test_the_index_follows_every_change(empty):
    logged = empty.log([{"fields": {"text": "alpha", "note": "beta"}}, {"fields": {"text": "alpha gamma"}}])
    assert found(empty, "alpha") == {"r0", "r1"}
    empty.ask("PATCH", f"/records/{logged[0]['id']}", fields={"text": "delta"})
    assert (found(empty, "alpha"), found(empty, "beta"), found(empty, "delta")) == ({"r1"}, set(), {"r0"})
    upserted = {"external_id": "r1", "fields": {"text": "epsilon"}}
    empty.ask("PUT", f"{empty.path}/records/bulk", items=[upserted, {"external_id": "r9", "fields": {"text": "gamma"}}])
    assert (found(empty, "gamma"), found(empty, "epsilon")) == ({"r9"}, {"r1"})
    empty.ask("PUT", f"{empty.path}/records/bulk", items=[{"external_id": "r1", "metadata": {"n": 1}}])
    assert found(empty, "epsilon") == {"r1"}
    everything, _ = empty.search()
    empty.ask("DELETE", f"/records/{logged[1]['id']}")
    assert found(empty, "epsilon") == set()
    empty.clear([item["record"] for item in everything])
    assert found(empty, "gamma | delta") == set()


def test_a_pasted_sentence_is_found_and_a_pasted_page_refused(empty):
    empty.log([{"fields": {"text": " ".join(f"w{i}" for i in range(100))}}, {"fields": {"text": "w0 w1"}}])
    assert found(empty, " ".join(f"w{i}" for i in range(100))) == {"r0"}
    assert found(empty, "((" * 20 + "w0 | w1 w99" + "))" * 20) == {"r0"}
    assert found(empty, " ".join(f"w{i} |" for i in range(60))) == {"r0", "r1"}
    page = {"query": {"text": {"q": "w0 " * 200}}}
    answer = empty.http.post(f"{empty.path}/records/search", json=page, headers={"X-Argilla-Api-Key": empty.keys[0]})
    assert (answer.status_code, "128 is the most" in answer.text) == (422, True)


@pytest.fixture(scope="module")
def library(board):
    notes = [*TEXTS[5:], *TEXTS[:5]]
    drawn = [
        {"fields": {"text": t, "note": n}, "metadata": {"n": i}}
        for i, (t, n) in enumerate(zip(TEXTS, notes, strict=True))
    ]
    records = board.log(drawn)
    yield records
    board.clear(records)


@settings(max_examples=250, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries, field=st.sampled_from((None, None, "text", "note")), user=st.sampled_from((None, 1)))
def test_text_queries_find_what_brute_force_finds(board, library, query, field, user):
    filters = {"and": [{"type": "range", "scope": {"entity": "metadata", "metadata_property": "n"}, "ge": 1}]}
    items = search(board, render(query), field, user=user, filters=filters)
    fields = {r["external_id"]: [t for name, t in r["fields"].items() if field in (None, name)] for r in library[1:]}
    assert {item["record"]["external_id"] for item in items} == {
        id for id, texts in fields.items() if holds(texts, query)
    }
    scores = [item["query_score"] for item in items]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("text", ['"', "()", "-", "| +", "*", "~2", "\\", "((", ' "" ', "."])
def test_a_query_without_a_word_finds_nothing(board, library, text):
    assert found(board, text) == set()


ODD = {
    "river~1": "river",
    '"river bank': "river bank",
    "river)": "river",
    "bank\\ river": '"bank river"',
    "+river + | bank": "river bank",
    "- river": "river",
    "--river": "river",
    "NEAR(river bank)": "near (river bank)",
}


@pytest.mark.parametrize(("text", "same"), ODD.items())
def test_odd_queries_are_read_as_lucene_reads_them(board, library, text, same):
    assert found(board, text) == found(board, same)


def test_emoji_are_found(board, library):
    assert found(board, "🙂", "text") == found(board, "river -quote 🙂", "text") == {"r5"}


def test_the_best_match_comes_first(board, library):
    first, *_ = search(board, "bank", "text")
    assert first["record"]["external_id"] == "r7"
