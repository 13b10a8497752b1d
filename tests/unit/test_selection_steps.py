"""Steps beside the strategy: cost, duplicates, documents, diversity."""

import numpy as np
import pytest

from spanloop.config import SelectionConfig, SplitConfig
from spanloop.errors import ConfigError
from spanloop.records import Span, Statistics
from spanloop.selection import STRATEGIES, Annotated, Pending, Pool, prioritise
from spanloop.selection.diversity import diversity
from spanloop.selection.minhash import near_duplicates, signatures
from spanloop.selection.pool import ranks
from spanloop.selection.reranking import cost, duplicates, groups
from spanloop.selection.strategies import label_weights
from spanloop.selection.vectors import vectors

ALL_TRAIN = SplitConfig(validation=0.0, test=0.0)
WORDS = ["time", "year", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]


def records(values, *, texts=None, documents=None, words=None, embeddings=None):
    """Records with these values of every measure."""
    return [
        Pending(
            f"r{i}",
            documents[i] if documents else f"g{i}",
            texts[i] if texts else f"text number {i}",
            Statistics(words[i] if words else 10, v, v, v, v, v, v, {"": v * (words[i] if words else 10)}),
            None if embeddings is None else np.array(embeddings[i], dtype=np.float32),
        )
        for i, v in enumerate(values)
    ]


def served(pending, *, annotated=(), **selection):
    """Ids in the order in which annotators see them."""
    found = prioritise(pending, SelectionConfig(**selection), ALL_TRAIN, annotated=annotated)
    return sorted(found, key=found.get, reverse=True)


def order(values):
    return np.argsort(-values, kind="stable").tolist()


def sentences(n, seed=0, length=14):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, length)) + f" {rng.integers(10**9)}" for _ in range(n)]


def test_ranks_make_measures_comparable():
    assert ranks(np.array([-0.9, -0.1, -0.5])).tolist() == pytest.approx([1 / 3, 1, 2 / 3])
    assert ranks(np.array([5.0, 5.0, 1.0])).tolist() == pytest.approx([2.5 / 3, 2.5 / 3, 1 / 3])


def test_cost_prefers_the_shorter_of_two_nearly_equal_records():
    pending = records([0.9, 0.8], words=[40, 8])
    values = np.array([1.0, 0.9])
    assert order(cost(values, Pool(pending), 0.5)) == [1, 0]


def test_documents_take_turns():
    pending = records([4, 3, 2, 1], documents=["a", "a", "a", "b"])
    values = np.array([1.0, 0.9, 0.8, 0.5])
    assert groups(values, Pool(pending), 0.5).tolist() == pytest.approx([1.0, 0.45, 0.2, 0.5])
    assert order(groups(values, Pool(pending), 1.0)) == [0, 3, 1, 2]


def test_a_near_repetition_comes_behind():
    texts = [
        "The quarterly report of the Acme company was published in London on Friday morning.",
        "A completely different sentence about the weather in the mountains of Norway.",
        "The quarterly report of  the ACME company was published in London on Friday morning!",
    ]
    values = np.array([0.9, 0.5, 1.0])
    assert order(duplicates(values, Pool(records(values, texts=texts)), 0.9)) == [2, 1, 0]


def test_what_is_annotated_is_not_asked_again():
    texts = sentences(40)
    pending = records(range(40), texts=texts)
    done = [Annotated(f"a{i}", f"other{i}", texts[i].upper()) for i in (39, 20, 3)]
    assert served(pending, annotated=done, steps={"duplicates": 1.0})[-3:] == ["r39", "r20", "r3"]
    assert served(pending, annotated=done, steps={"duplicates": 0.0}) == served(pending)


def test_documents_with_annotated_records_wait():
    pending = records([4, 3, 2, 1], documents=["a", "a", "b", "c"])
    done = [Annotated("x", "a", ""), Annotated("y", "a", ""), Annotated("z", "b", "")]
    assert order(groups(ranks(np.array([4.0, 3, 2, 1])), Pool(pending, done), 1.0))[0] == 3
    assert groups(np.ones(4), Pool(pending, done), 0.5).tolist() == pytest.approx([0.25, 0.125, 0.5, 1.0])


def test_diversity_keeps_away_from_what_is_annotated():
    pending = records([3, 2, 1], embeddings=[[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    done = [Annotated("x", "x", "", (), np.array([1, 0.1, 0], dtype=np.float32))]
    values = np.array([1.0, 0.9, 0.8])
    assert order(diversity(values, Pool(pending), 0.6))[0] == 0
    assert order(diversity(values, Pool(pending, done), 0.6))[-1] == 0


def test_held_out_annotation_changes_nothing():
    """To keep away from test records would make what is trained on unlike them."""
    splits, texts = SplitConfig(validation=0.0, test=0.5), sentences(60)
    pending = records(range(60), texts=texts)
    everything = {"duplicates": 1.0, "groups": 1.0, "diversity": 0.5}
    done = [Annotated(f"a{r.id}", r.group, r.text, (Span(0, 4, "word"),)) for r in pending[::2]]
    tested = [a for a in done if splits.split_of(a.group) == "test"]
    for strategy in ("mnlp", "reweighted_mnlp", "typiclust"):
        config = SelectionConfig(strategy=strategy, steps=everything)
        plain, same, other = (prioritise(pending, config, splits, annotated=a) for a in ((), tested, done))
        assert len(tested) > 5
        assert plain == same != other


def test_labels_that_are_rare_among_the_annotated_count_more():
    doubts = [{"": 2.0}, {"": 1.0, "common": 0.5}, {"rare": 0.9}, {"": 1.0, "unseen": 0.2}]
    pending = [
        Pending(f"r{i}", f"g{i}", "", Statistics(10, 0, 0, 0, 0, 0, label_doubt=each)) for i, each in enumerate(doubts)
    ]
    text = "one two three four five six seven eight nine ten"
    done = [Annotated(f"a{i}", f"b{i}", text, (Span(0, 18, "common"),)) for i in range(9)]
    done.append(Annotated("a", "b", text, (Span(0, 3, "rare"),)))
    assert served(pending, strategy="reweighted_mnlp") == ["r0", "r1", "r3", "r2"]  # all weigh the same
    weights = label_weights(done)
    assert weights == pytest.approx({"": 1 / 0.73, "common": 1 / 0.46, "rare": 1 / 0.11})
    wanted = [2 * weights[""], weights[""] + 0.5 * weights["common"], 0.9 * weights["rare"], weights[""] + 0.2 * 10]
    values = STRATEGIES["reweighted_mnlp"].values(Pool(pending, done), np.random.default_rng(0))
    assert values.tolist() == pytest.approx([each / 10 for each in wanted])
    assert served(pending, strategy="reweighted_mnlp", annotated=done)[0] == "r2"


def test_minhash_finds_planted_repetitions_and_nothing_else():
    """300 texts, then 60 of them with one word changed: 50 or more are found, and no text is taken for another's."""
    base, rng = sentences(300, length=30), np.random.default_rng(1)
    changed = []
    for text in base[:60]:
        words = text.split()
        words[rng.integers(len(words))] = "altered"
        changed.append(" ".join(words))
    repeats = near_duplicates(signatures(base + changed))
    assert not repeats[:300].any()
    assert repeats[300:].sum() >= 50


def test_minhash_estimates_the_similarity_of_shingles():
    def shingles(text):
        raw = (text + " " * 8).encode()
        return {raw[i : i + 8] for i in range(len(text))}

    rng, errors = np.random.default_rng(2), []
    for _ in range(200):
        words = [rng.bytes(3).hex() for _ in range(16)]  # no word twice, so that the errors are independent
        text = " ".join(words)
        for i in rng.choice(len(words), rng.integers(0, 8), replace=False):
            words[i] = "altered"
        other = " ".join(words)
        rows = signatures([text, other])
        a, b = shingles(text), shingles(other)
        errors.append((rows[0] == rows[1]).mean() - len(a & b) / len(a | b))
    assert abs(np.mean(errors)) < 0.03  # unbiased
    assert np.std(errors) < 0.15  # sqrt(0.25 / 16) = 0.125 at worst


def test_signatures_do_not_depend_on_what_stands_beside_a_text():
    texts = ["", "a", "ab cd", "😀 e\u0301", "x" * 1000, *sentences(20)]
    together = signatures(texts)
    assert all((signatures([text])[0] == row).all() for text, row in zip(texts, together, strict=True))
    assert signatures([]).shape == (0, 16)


def test_diversity_takes_the_two_kinds_in_turn():
    """Three records of one kind and one of another, a little less informative."""
    pending = records([4, 3, 2, 1], embeddings=[[1, 0], [1, 0.01], [1, 0.02], [0, 1]])
    values = np.array([1.0, 0.95, 0.9, 0.85])
    assert order(diversity(values, Pool(pending), 0.8))[:2] == [0, 3]


def test_diversity_reorders_the_head_only():
    pending = records(range(100), texts=sentences(100))
    values = ranks(np.random.default_rng(0).random(100))
    plain, diverse = order(values), order(diversity(values, Pool(pending), 0.9, head=30))
    assert set(plain[:30]) == set(diverse[:30])
    assert plain[:30] != diverse[:30]
    assert plain[30:] == diverse[30:]


def test_a_diverse_head_covers_more_of_the_pool():
    """Ten kinds of text, one of them far more uncertain: the first ten records show more kinds."""
    rng = np.random.default_rng(3)
    kinds = [i % 10 for i in range(300)]
    centres = rng.normal(size=(10, 16))
    pending = records(range(300), embeddings=[centres[k] + 0.1 * rng.normal(size=16) for k in kinds])
    values = ranks(rng.random(300) + np.array([2.0 * (k == 0) for k in kinds]))
    plain, diverse = ({kinds[i] for i in order(v)[:10]} for v in (values, diversity(values, Pool(pending), 0.7)))
    assert plain == {0}
    assert len(diverse) >= 8


def test_without_embeddings_words_tell_texts_apart():
    rows = vectors(records([1, 2, 3], texts=["the cat sat", "The cat sat", "a dog ran"]))
    assert rows[0] @ rows[1] == pytest.approx(1.0)
    assert abs(rows[0] @ rows[2]) < 0.5


def test_the_configuration_asks_for_steps():
    pending = records([0.9, 0.8], words=[40, 8])
    for strength, first in ((0.0, "r0"), (1.0, "r1")):
        assert served(pending, strategy="expected_errors", steps={"cost": strength})[0] == first


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_cost_divides_the_measure_itself_and_never_twice(strategy):
    """Ranks would put the short record of little worth first; what is per word already is not divided again."""
    pending = records([4.0, 3.0, 0.1], words=[40, 20, 10])
    wanted = {"per_record": ["r1", "r0", "r2"], "per_word": ["r0", "r1", "r2"]}
    if STRATEGIES[strategy].is_measure:
        kind = "per_word" if STRATEGIES[strategy].per_word else "per_record"
        assert served(pending, strategy=strategy, steps={"cost": 1.0}) == wanted[kind]
    else:
        assert served(pending, strategy=strategy, steps={"cost": 1.0}) == served(pending, strategy=strategy)


def test_negative_values_have_no_price():
    with pytest.raises(ConfigError, match=r"cost divides values by words, and the strategy gave -1; let it return"):
        cost(np.array([0.5, -1.0]), Pool(records([1, 1])), 1.0)


def test_steps_have_their_order_whatever_that_of_the_configuration():
    """Diversity first and documents last would let one document lead again."""
    pending = records(range(60), texts=sentences(60), documents=[f"d{i // 20}" for i in range(60)])
    asked = {"groups": 0.5, "diversity": 0.6}
    one, other = (SelectionConfig(steps=dict(pairs)) for pairs in (asked.items(), reversed(asked.items())))
    assert prioritise(pending, one, ALL_TRAIN) == prioritise(pending, other, ALL_TRAIN)
    values = ranks(np.arange(60.0))
    first_groups = diversity(groups(values, Pool(pending), 0.5), Pool(pending), 0.6)
    assert order(first_groups) != order(groups(diversity(values, Pool(pending), 0.6), Pool(pending), 0.5))
    found = prioritise(pending, one, ALL_TRAIN)
    assert sorted(found, key=found.get, reverse=True) == [f"r{i}" for i in order(first_groups)]


def test_steps_never_touch_the_order_of_held_out_records():
    splits = SplitConfig(validation=0.2, test=0.2)
    pending = records(range(200), texts=sentences(50) * 4, documents=[f"d{i // 4}" for i in range(200)])
    held = {r.id for r in pending if splits.split_of(r.group) != "train"}

    def stream(config):
        found = prioritise(pending, config, splits)
        return [i for i in sorted(found, key=found.get, reverse=True) if i in held]

    steps = SelectionConfig(steps={"cost": 1.0, "duplicates": 1.0, "groups": 1.0, "diversity": 0.9})
    assert len(held) > 20
    assert stream(steps) == stream(SelectionConfig())


def test_equal_texts_repeat_each_other_whatever_lies_between() -> None:
    """A band is shared with texts of many kinds; the first of them is often not the one that is repeated."""
    rows = np.random.default_rng(0).integers(0, 3, size=(300, 16)).astype(np.uint64)
    assert near_duplicates(np.concatenate([rows, rows[::-1]]))[len(rows) :].all()
