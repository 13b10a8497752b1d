"""Text queries against a brute-force oracle, and the full-text index after every way of changing a record."""

import math
import re
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

WORDS = ("river", "Bank", "riverside", "rain", "naïve", "don't", "COVID-19", "x", "中国")
TOGETHER = ("don't",)  # one word to Elasticsearch, two beside each other to SQLite
TEXTS = (
    "The river, the BANK and the rain.",
    "riverside bank; river bank",
    "Don't go to the (bank)!\r\nIt rains x",
    "don t x bank river",
    "COVID-19 in Århus, naïve COVID 19",
    "Naive covid19 🙂 river🙂bank",
    "在中国的河岸 river, 国中",
    "19: the covid of 国 and of 中",
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
        return all(char in text for char in what) if kind == "word" else what in text
    if kind == "word" and what not in TOGETHER:
        return set(words(what)) <= set(words(text))
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


def test_a_pasted_page_is_found(empty):
    empty.log([{"fields": {"text": " ".join(f"w{i}" for i in range(100))}}, {"fields": {"text": "w0 w1"}}])
    assert found(empty, " ".join(f"w{i}" for i in range(100))) == {"r0"}
    assert found(empty, "((" * 20 + "w0 | w1 w99" + "))" * 20) == {"r0"}
    assert found(empty, " ".join(f"w{i} |" for i in range(60))) == {"r0", "r1"}
    assert found(empty, " ".join(f"w{i % 100}" for i in range(1000))) == {"r0"}
    assert found(empty, "w0 | w99 " * 500) == {"r0", "r1"}
    deep = {"query": {"text": {"q": "(" * 2000 + "w0" + ")" * 2000}}}
    answer = empty.http.post(f"{empty.path}/records/search", json=deep, headers={"X-Argilla-Api-Key": empty.keys[0]})
    assert (answer.status_code, "take some away" in answer.text) == (422, True)


def test_words_of_every_writing(empty):
    empty.log([{"fields": {"text": "01/05/2024 in İSTANBUL"}}, {"fields": {"text": "昨日京都東京タワーへ"}}])
    for text in ("2024-05-01", "istanbul", "İstanbul", "ISTANBUL", "İSTAN*"):
        assert found(empty, text) == {"r0"}, text
    for text in ("東京", "京東", "タワー", '"東京タワー"', "京*"):
        assert found(empty, text) == {"r1"}, text
    assert found(empty, '"京東"') == set()


def test_dates_are_read_as_elasticsearch_reads_them(empty):
    (record,) = empty.log([{"fields": {"text": "x"}}])
    day = datetime.fromisoformat(record["inserted_at"]).replace(tzinfo=UTC)

    def holds(**more):
        scope = {"entity": "record", "property": "inserted_at"}
        return bool(empty.search(filters={"and": [{"scope": scope, **more}]})[1])

    for inside in (f"{day:%Y-%m-%d}", "now/d", "now/w", "now/y", f"{day:%Y-%m}-01||/M"):
        assert holds(type="terms", values=[inside]), inside
    for before in (f"{day:%Y}", f"{day:%Y-%m}", "now-1d", "now-1d/d", "now/d", f"{day:%Y-%m-%d}||-1M", "2020"):
        assert holds(type="range", ge=before), before
        assert not holds(type="range", le=before) or before in ("now/d", f"{day:%Y-%m}", f"{day:%Y}")
    for after in ("now", "now+1h", "now/d", "now/y", f"{day:%Y-%m-%d}", "2999-01"):
        assert holds(type="range", le=after), after
    assert not holds(type="terms", values=["2020-01-01", "now-1d/d"])
    for nonsense in ("yesterday", "now-1x", "2026-13", "now/"):
        with pytest.raises(AssertionError, match="422"):
            holds(type="range", ge=nonsense)


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
    scores = {item["record"]["external_id"]: item["query_score"] for item in items}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    if user is None:
        texts = [(r["fields"] if field is None else {field: r["fields"][field]}) for r in library]
        for record_id, score in scores.items():
            assert score == pytest.approx(worth(texts[int(record_id[1:])], query, texts), rel=1e-3)


def worth(fields, query, texts):
    """BM25 in each field by itself, summed over what matches; not to match something is worth 1."""
    total, holding = 0.0, None
    for operator, negated, (kind, what) in query:
        one = holds(fields.values(), what) if kind == "query" else any(found_in(t, kind, what) for t in fields.values())
        value = (
            1.0
            if negated
            else worth(fields, what, texts)
            if kind == "query"
            else sum(leaf_worth(name, text, kind, what, [t[name] for t in texts]) for name, text in fields.items())
        )
        value = value if one != negated else 0.0
        one = one != negated
        both = one if holding is None else (holding and one) if operator == "and" else (holding or one)
        total, holding = total + value if both else 0.0, both
    return total


def leaf_worth(_name, text, kind, what, column):
    if not found_in(text, kind, what):
        return 0.0
    if kind == "prefix":
        return 1.0
    parts = [what]
    if kind == "word" and what not in TOGETHER:
        parts = list(dict.fromkeys(what if "中" in what else words(what)))
    return sum(bm25(text, part, column) for part in parts)


def bm25(text, part, column):
    times = occurrences(text, part)
    holding, mean = sum(occurrences(t, part) > 0 for t in column), sum(map(size, column)) / len(column)
    idf = math.log(1 + (len(column) - holding + 0.5) / (holding + 0.5))
    return idf * times / (times + 1.2 * (0.25 + 0.75 * size(text) / mean))


def occurrences(text, part):
    if "中" in part or "国" in part:
        return text.count(part)
    wanted, there = words(part), words(text)
    return sum(there[i : i + len(wanted)] == wanted for i in range(len(there)))


def size(text):
    """Words as SQLite counts them: of a script without spaces, a whole run."""
    return len(words(text))


@pytest.mark.parametrize("text", ['"', "()", "-", "| +", "**", "~2", "\\", "((", ' "" ', "."])
def test_a_query_without_a_word_finds_nothing(board, library, text):
    assert found(board, text) == set()


@pytest.mark.parametrize("text", ["*", " * "])
def test_a_star_alone_is_everything(board, library, text):
    items = search(board, text)
    assert {item["record"]["external_id"] for item in items} == {r["external_id"] for r in library}
    assert {item["query_score"] for item in items} == {1.0}


ODD = {
    "river~1": "river",
    '"river bank': "river bank",
    '"river bank"~2x rain': '"river bank" rain',
    "river)": "river",
    "river) bank": "river bank",
    "rain | (river bank": "rain | river bank",
    "river (bank": "river bank",
    "river | () bank": "river bank",
    "(river \\) bank) rain": "river bank rain",
    "river* | bank": "bank | river*",
    "bank\\ river": "bank river",
    "+river + | bank": "river bank",
    "- river": "river",
    "--river": "river",
    "NEAR(river bank)": "near (river bank)",
}


@pytest.mark.parametrize(("text", "same"), ODD.items())
def test_odd_queries_are_read_as_lucene_reads_them(board, library, text, same):
    assert found(board, text) == found(board, same)


def test_a_negation_is_worth_the_same_for_all_and_adds_nothing(board, library):
    (whole, total), (again, _) = (board.search(1, query={"text": {"q": q}}) for q in ("-nothing", "-nothing"))
    assert total == len(library)
    assert whole == again != board.search(2, query={"text": {"q": "-nothing"}})[0]  # by chance, another for each user
    plain = {item["record"]["external_id"]: item["query_score"] for item in search(board, "river", "text")}
    for item in search(board, "river -quote", "text"):
        assert item["query_score"] == pytest.approx(plain[item["record"]["external_id"]] + 1)


def test_what_another_data_set_holds_changes_no_score(board, argilla_server, library):
    before = [(item["record"]["external_id"], item["query_score"]) for item in search(board, "river bank")]
    other = type(board)(argilla_server.url, argilla_server.api_key)
    other.log([{"fields": {"text": "bank " * 50}} for _ in range(30)])
    after = [(item["record"]["external_id"], item["query_score"]) for item in search(board, "river bank")]
    assert [i for i, _ in after] == [i for i, _ in before]
    assert [s for _, s in after] == pytest.approx([s for _, s in before], rel=1e-3)


def test_emoji_are_found(board, library):
    assert found(board, "🙂", "text") == found(board, "river -quote 🙂", "text") == {"r5"}


def test_the_best_match_comes_first(board, library):
    first, *_ = search(board, "bank", "text")
    assert first["record"]["external_id"] == "r8"
