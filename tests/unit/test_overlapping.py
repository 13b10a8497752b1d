"""Spans of different labels that overlap: tags, decoding and training against what is written out."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import save_tiny_encoder, wordpiece

from spanloop.config import ScoringConfig, TrainingConfig
from spanloop.model.encoding import Encoder
from spanloop.model.ragged import log_softmax
from spanloop.model.scores import ScoreScale
from spanloop.model.tag_scheme import TagScheme
from spanloop.records import Example, Span
from spanloop.scoring import predict
from spanloop.scoring.decoding import DropoutPasses, decode_chunk
from spanloop.spans import have_overlaps
from spanloop.training.evidence import evidence_of
from spanloop.training.job import Job, run_job
from spanloop.training.likelihood import word_loss
from spanloop.training.out_of_fold import OutOfFold
from spanloop.training.targets import make_targets

LABELS = ("ORG", "LOC")
EACH = TagScheme(LABELS, overlapping=True)
TEXT = "University of New York in York"
NESTED = Example("nested", TEXT, (Span(0, 22, "ORG"), Span(14, 22, "LOC"), Span(26, 30, "LOC")))
ENCODER = Encoder(wordpiece(), 32, 8)


def sequences(p: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every valid sequence of O, B and I with its share of the mass of all."""
    valid = [
        tags
        for tags in product(range(3), repeat=len(p))
        if all(tag != 2 or before for before, tag in zip((0, *tags), tags, strict=False))
    ]
    masses = {tags: float(np.prod([p[i, tag] for i, tag in enumerate(tags)])) for tags in valid}
    return {tags: mass / sum(masses.values()) for tags, mass in masses.items()}


def spans_of(tags: tuple[int, ...]) -> set[tuple[int, int]]:
    """Runs of words that begin with B and go on with I."""
    starts = [i for i, tag in enumerate(tags) if tag == 1]
    return {(i, next((j for j in range(i + 1, len(tags)) if tags[j] != 2), len(tags))) for i in starts}


def logits_for(texts: list[str], seed: int) -> np.ndarray:
    n_words = int(ENCODER.encode(texts).text_words[-1])
    return np.random.default_rng(seed).normal(scale=2, size=(n_words, len(EACH.names)))


def test_a_chain_for_each_label_has_outputs_of_its_own() -> None:
    assert EACH.names == ["O-ORG", "B-ORG", "I-ORG", "O-LOC", "B-LOC", "I-LOC"]
    assert EACH.chains == [("ORG",), ("LOC",)]
    assert TagScheme(LABELS).names == ["O", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]
    assert TagScheme(LABELS).chains == [LABELS]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n_words=st.integers(1, 4))
def test_every_figure_of_independent_chains_equals_brute_force(seed: int, n_words: int) -> None:
    text = " ".join(["Ada"] * n_words)
    encoded, logits = ENCODER.encode([text]), logits_for([text], seed)
    chains = [sequences(np.exp(log_softmax(logits[:, 3 * i : 3 * i + 3]))) for i in range(2)]
    found = decode_chunk(encoded, logits, EACH, scale=ScoreScale())
    (spans,), (statistics,) = found.spans, found.statistics
    wanted = [
        (4 * first, 4 * last - 1, label, sum(share for tags, share in chain.items() if (first, last) in spans_of(tags)))
        for label, chain in zip(LABELS, chains, strict=True)
        for first, last in spans_of(max(chain, key=lambda tags: chain[tags]))
    ]
    assert [(s.start, s.end, s.label) for s in spans] == sorted(w[:3] for w in wanted)
    assert [s.score for s in spans] == pytest.approx([w[3] for w in sorted(wanted)])

    second, best = sorted(a * b for a, b in product(*(chain.values() for chain in chains)))[-2:]
    assert statistics.least_confidence == pytest.approx(1 - best)
    assert statistics.margin == pytest.approx(1 - (best - second))
    assert statistics.mnlp == pytest.approx(-np.log(best) / n_words)
    p = np.zeros((2, n_words, 3))
    for (i, chain), word, tag in product(enumerate(chains), range(n_words), range(3)):
        p[i, word, tag] = sum(share for tags, share in chain.items() if tags[word] == tag)
    assert statistics.token_entropy == pytest.approx(-(p * np.log(np.maximum(p, 1e-300))).sum() / n_words)
    surplus = sum(min(1 - 2 * w[3], 0) for w in wanted)
    assert statistics.expected_errors == pytest.approx(p[:, :, 1].sum() + surplus)
    doubts = dict.fromkeys(["", *LABELS], 0.0)
    for i, label in enumerate(LABELS):
        for word, tag in enumerate(max(chains[i], key=lambda tags: chains[i][tags])):
            doubts[label if tag else ""] -= np.log(p[i, word, tag])
    assert statistics.label_doubt == pytest.approx({name: doubt for name, doubt in doubts.items() if doubt})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), words=st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_a_text_has_the_figures_that_it_has_alone(seed: int, words: list[int]) -> None:
    texts = [" ".join(["Ada"] * n) for n in words]
    logits = logits_for(texts, seed)
    encoded = ENCODER.encode(texts)
    together = decode_chunk(encoded, logits, EACH, scale=ScoreScale(0.7, -0.5), min_score=0.3)
    for i, text in enumerate(texts):
        rows = slice(encoded.text_words[i], encoded.text_words[i + 1])
        alone = decode_chunk(ENCODER.encode([text]), logits[rows], EACH, scale=ScoreScale(0.7, -0.5), min_score=0.3)
        assert [s.span for s in together.spans[i]] == [s.span for s in alone.spans[0]]
        assert [s.score for s in together.spans[i]] == pytest.approx([s.score for s in alone.spans[0]])
        assert together.statistics[i].mnlp == pytest.approx(alone.statistics[0].mnlp)
        assert together.statistics[i].margin == pytest.approx(alone.statistics[0].margin)


def test_passes_that_disagree_in_any_chain_disagree() -> None:
    encoded = ENCODER.encode(["Ada", "Ada"])
    passes, one, other = DropoutPasses(EACH), np.zeros((2, 6)), np.zeros((2, 6))
    other[1, 4] = 5.0
    passes.add(one)
    passes.add(other)
    agreeing, disagreeing = passes.bald(np.diff(encoded.text_words))
    assert agreeing == pytest.approx(0.0)
    assert disagreeing > 0.05


def test_each_chain_learns_the_spans_of_its_label() -> None:
    targets = make_targets(ENCODER, [NESTED], EACH, "all")
    assert targets.word_tags.T.tolist() == [[1, 2, 2, 2, 0, 0], [0, 0, 1, 2, 0, 1]]
    assert targets.subword_tags[targets.encoded.word_first].tolist() == targets.word_tags.tolist()
    assert targets.lost == []


def test_the_loss_is_that_of_all_chains_together() -> None:
    targets = make_targets(ENCODER, [NESTED], EACH, "all")
    logits = torch.from_numpy(logits_for([TEXT], 0)).requires_grad_()
    lengths, before = np.array([6]), np.zeros(2, dtype=np.int64)
    gold = EACH.end_to_end(targets.word_tags).ravel()
    found = word_loss(EACH.end_to_end(logits), gold, EACH.sequences(lengths), before, None)
    alone = [
        word_loss(logits[:, 3 * i : 3 * i + 3], targets.word_tags[:, i].copy(), lengths, before[:1], None)
        for i in range(2)
    ]
    assert found.item() == pytest.approx(sum(loss.item() for loss in alone))


def test_what_is_found_out_of_fold_is_set_against_all_spans() -> None:
    examples = [Example("plain", "York is far", (Span(0, 4, "LOC"),)), NESTED]
    targets, texts = make_targets(ENCODER, examples, EACH, "all"), np.array([1, 0])
    gold = targets.word_tags[targets.words_of(texts)]
    logits = np.where(np.arange(3) == gold[:, :, None], 4.0, 0.0).reshape(len(gold), -1)
    logits[-1, 1] = 9.0  # "far" as an ORG
    unseen = OutOfFold(examples, targets, texts, logits)
    assert sorted(unseen.found.hits.tolist()) == [False, True, True, True, True]
    nested, plain = evidence_of(unseen, ScoreScale())
    assert [s.span for s in nested.marked] == [s.span for s in nested.found] == list(NESTED.spans)
    assert all(s.score > 0.8 for s in nested.marked)
    assert [s.span for s in plain.found] == [*examples[0].spans, Span(8, 11, "ORG")]


def named_after_places(count: int) -> list[Example]:
    """People, some of them named after the place that they come from."""
    made = []
    for i in range(count):
        person, place = ("Ada", "Bob", "Eve")[i % 3], ("London", "Paris", "Rome")[i // 3 % 3]
        name = f"{person} of {place}" if i % 2 else person
        text = f"{name} met nobody" if i % 2 else f"{name} met nobody in {place}"
        at = text.index(place)
        made.append(Example(str(i), text, (Span(0, len(name), "ORG"), Span(at, at + len(place), "LOC"))))
    return made


def test_a_model_of_one_chain_goes_on_as_one_of_several(tmp_path: Path) -> None:
    """Weighted, out of fold, and from the model in service: nested spans are learnt."""
    examples = named_after_places(36)
    config = TrainingConfig(
        model_name_or_path=str(save_tiny_encoder(tmp_path / "encoder")), learning_rate=3e-3, min_steps=120,
        num_train_epochs=1, max_length=32, stride=8, class_weighting="inverse_sqrt",
    )  # fmt: skip
    plain = [e for e in examples if not have_overlaps(e.spans)]
    assert not Job(plain, LABELS, config, tmp_path).scheme.overlapping
    run_job(Job(plain, LABELS, config, tmp_path / "plain"))
    result = run_job(Job(examples, LABELS, config, tmp_path / "nested", start=str(tmp_path / "plain")))
    assert result.out_of_fold_f1 is not None
    assert not result.plain_f1  # a pipeline cannot read the model
    found = predict(tmp_path / "nested", examples, ScoringConfig())
    right = [e for e in examples if [s.span for s in found[e.id]] == list(e.spans)]
    assert sum(have_overlaps(e.spans) for e in right) > 12


def test_spans_that_overlap_are_found() -> None:
    assert have_overlaps(NESTED.spans)
    assert not have_overlaps(NESTED.spans[1:])
    assert not have_overlaps([Span(3, 5, "a"), Span(0, 3, "b")])


def test_the_benchmark_makes_nested_spans_of_what_the_text_joins() -> None:
    from benchmarks.overlapping import disjoint, nested

    text = "A head having a layer of the iron, the size of a gap"
    words = {"head": "Component", "layer": "Component", "iron": "Material", "size": "Attribution", "gap": "Shape"}
    spans = tuple(Span(text.index(x), text.index(x) + len(x), label) for x, label in words.items())
    made = nested(Example("a", text, spans))
    outer = {(text[s.start : s.end], s.label) for s in set(made) - set(spans)}
    assert outer == {("head having a layer", "Equipped"), ("layer of the iron", "Part"), ("size of a gap", "Property")}
    assert disjoint(made, "shortest") == spans
    assert {text[s.start : s.end] for s in disjoint(made, "longest")} == {
        "head having a layer",
        "iron",
        "size of a gap",
    }
