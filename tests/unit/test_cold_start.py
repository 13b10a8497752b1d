"""Before the first model: every kind of text comes early, what is typical or unlike the rest, and nothing twice."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from spanloop.config import SelectionConfig, SplitConfig
from spanloop.selection import Annotated, Pending, prioritise, wants_embeddings
from spanloop.selection.typicality import k_means, typical_first

ALL_TRAIN = SplitConfig(validation=0.0, test=0.0)
KINDS = 10


def kinds_of_text(n, seed=0, embeddings=True):
    """n records of ten kinds, the first far more frequent; the kind is the second letter of the id."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(KINDS, 24))
    kinds = np.minimum(rng.geometric(0.3, n) - 1, KINDS - 1)
    words = [[f"{kind}word{i}" for i in range(6)] for kind in range(KINDS)]
    return [
        Pending(
            f"k{kind}-{seed}-{i}",
            f"g{seed}-{i}",
            " ".join(rng.choice(words[kind], 12)),
            embedding=(centres[kind] + 0.3 * rng.normal(size=24)).astype(np.float16) if embeddings else None,
        )
        for i, kind in enumerate(kinds.tolist())
    ]


def served(pending, *, annotated=(), splits=ALL_TRAIN, cold_start="typiclust", **selection):
    config = SelectionConfig(cold_start=cold_start, **selection)
    found = prioritise(pending, config, splits, annotated=annotated)
    return sorted(found, key=found.get, reverse=True)


def kinds_in(ids):
    return Counter(i[:2] for i in ids)


@pytest.mark.parametrize("embeddings", [True, False])
def test_the_first_batch_has_nearly_every_kind(embeddings):
    pending = kinds_of_text(400, embeddings=embeddings)
    first = kinds_in(served(pending)[:60])
    assert len(first) >= 9
    assert max(first.values()) < 30


@pytest.mark.parametrize("cold_start", ["core_set", "lexical_core_set"])
def test_a_core_set_has_every_kind_at_once_and_leaves_out_what_is_annotated(cold_start):
    pending = kinds_of_text(300)
    assert len(kinds_in(served(pending, cold_start=cold_start)[:20])) == KINDS
    done = [Annotated(f"a{r.id}", r.group, r.text, (), r.embedding) for r in pending if not r.id.startswith("k3")]
    assert kinds_in(served(pending, annotated=done, cold_start=cold_start)[:5]) == {"k3": 5}


def test_a_lexical_core_set_reads_words_and_no_embeddings():
    pending, alike = kinds_of_text(200), np.ones(24, dtype=np.float16)
    without = [replace(record, embedding=None) for record in pending]
    same = [replace(record, embedding=alike) for record in pending]
    orders = [served(each, cold_start="lexical_core_set") for each in (pending, without, same)]
    assert orders[0] == orders[1] == orders[2]


def test_typical_records_lead_and_outliers_come_last():
    rng = np.random.default_rng(0)
    close = np.array([1.0, 0, 0]) + 0.05 * rng.normal(size=(50, 3))
    far = np.array([[1.0, 2, 0], [1, 0, 2], [1, -2, 0], [1, 0, -2]])
    rows = np.concatenate([close, far])
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    values = typical_first(rows, rows[:0], rng)
    assert sorted(values.tolist()) == pytest.approx([(i + 1) / 54 for i in range(54)])
    assert values[:50].mean() > values[50:].mean()


def test_kinds_that_are_annotated_wait_for_the_others():
    pending = kinds_of_text(400)
    done = [Annotated(f"a{r.id}", r.group, r.text, (), r.embedding) for r in kinds_of_text(600, seed=1) if "k0" in r.id]
    without, with_them = (kinds_in(served(pending, annotated=a)[:40])["k0"] for a in ((), done))
    assert with_them < without / 2


def test_centres_are_where_the_records_are():
    rng = np.random.default_rng(0)
    centres = np.eye(4, 8)
    rows = np.repeat(centres, 50, axis=0) + 0.05 * rng.normal(size=(200, 8))
    found = k_means((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), 4, rng)
    assert (found @ centres.T).max(axis=0).tolist() == pytest.approx([1.0] * 4, abs=0.01)
    assert np.linalg.norm(found, axis=1).tolist() == pytest.approx([1.0] * 4)


def test_more_clusters_than_different_texts_is_no_trouble():
    same = [Pending(f"r{i}", f"g{i}", "the same text") for i in range(50)]
    assert len(served(same)) == 50
    assert len(served([Pending("a", "a", ""), Pending("b", "b", " ")])) == 2


def test_one_text_of_many_is_asked_once_from_the_first_batch_on():
    """The text that stands 25 times is typical of much; it is asked once in the first 50."""
    pending = kinds_of_text(200)
    again = [Pending(f"again{i}", f"g{i}", pending[0].text, embedding=pending[0].embedding) for i in range(25)]
    mixed = [*pending[1:], *again]
    once = [i for i in served(mixed, steps={"duplicates": 1.0})[:50] if i.startswith("again")]
    assert len(once) == 1
    assert len([i for i in served(mixed, cold_start="random")[:50] if i.startswith("again")]) > 1


def test_documents_take_turns_from_the_first_batch_on():
    pending = [
        Pending(r.id, f"document{i % 20}", r.text, embedding=r.embedding) for i, r in enumerate(kinds_of_text(200))
    ]
    groups = {r.id: r.group for r in pending}
    assert len({groups[i] for i in served(pending, steps={"groups": 1.0})[:20]}) == 20
    assert len({groups[i] for i in served(pending)[:20]}) < 20


def test_short_texts_do_not_lead_where_nothing_is_known_of_their_worth():
    pending = kinds_of_text(100)
    assert served(pending, steps={"cost": 1.0}) == served(pending)


def test_the_order_depends_on_the_seed_and_not_on_that_of_the_records():
    pending = kinds_of_text(150)
    done = [Annotated(f"a{r.id}", r.group, r.text, (), r.embedding) for r in kinds_of_text(20, seed=1)]
    found = served(pending, annotated=done)
    assert found == served(pending[::-1], annotated=done[::-1]) != served(pending, annotated=done, seed=1)


def test_held_out_records_come_in_an_order_of_their_own():
    splits, pending = SplitConfig(validation=0.2, test=0.2), kinds_of_text(300)
    held = {r.id for r in pending if splits.split_of(r.group) != "train"}
    typical, by_chance = (
        [i for i in served(pending, splits=splits, cold_start=cold) if i in held] for cold in ("typiclust", "random")
    )
    assert len(held) > 60
    assert typical == by_chance


@pytest.mark.parametrize(
    ("selection", "scored", "wanted"),
    [
        ({}, False, True),
        ({}, True, False),
        ({"cold_start": "typiclust"}, False, True),
        ({"cold_start": "random"}, False, False),
        ({"cold_start": "lexical_core_set"}, False, False),
        ({"strategy": "random"}, False, False),
        ({"strategy": "typiclust"}, True, True),
        ({"steps": {"diversity": 0.1}}, True, True),
        ({"steps": {"diversity": 0.0, "duplicates": 1.0}}, True, False),
    ],
)
def test_embeddings_are_asked_for_where_somebody_looks_at_them(selection, scored, wanted):
    assert wants_embeddings(SelectionConfig(**selection), scored=scored) == wanted


def test_a_cold_start_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="there is no strategy 'typicluster'"):
        SelectionConfig(cold_start="typicluster")


def test_a_cold_start_that_needs_a_model_serves_at_random():
    pending = kinds_of_text(50)
    found = served(pending, cold_start="least_confidence")
    assert sorted(found) == sorted(r.id for r in pending)
