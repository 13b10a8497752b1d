"""Exact-span F1 and strict IOB2 seqeval are computed on two roads, and must say the same of every record."""

import json
import math
import string
from itertools import pairwise

import evaluate as hf_evaluate
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from spanloop.errors import DataError
from spanloop.evaluation import Evaluation, evaluate
from spanloop.evaluation.counts import record_counts, total
from spanloop.evaluation.sequences import METRIC, seqeval_scores
from spanloop.evaluation.tagging import iob2, units
from spanloop.records import Example, ScoredSpan, Span

LABELS = ["PER", "LOC", "-x", "x", "O"]  # seqeval strips dashes: two must not become one, nor O become no span
TEXT = "Ada Lovelace met Charles Babbage in London."


@st.composite
def span_lists(draw, text):
    """Sorted, disjoint spans over a text, at any character boundary, adjacent ones and blanks included."""
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    spans = []
    for start, end in pairwise(edges):
        label = draw(st.sampled_from([None, *LABELS]))
        if label is not None:
            spans.append(Span(start, end, label))
    return tuple(spans)


@st.composite
def judged_records(draw):
    """A text with gold and predicted spans; some predictions are copied from the gold so that many are right."""
    text = draw(st.text(st.sampled_from(string.ascii_letters + "  ,.-\n\t\u200b\u0301é中😀\u200d"), max_size=40))
    gold = draw(span_lists(text))
    guess = draw(span_lists(text))
    kept = [s for s in gold if draw(st.booleans())]
    free = [s for s in guess if all(s.end <= k.start or s.start >= k.end for k in kept)]
    return text, gold, tuple(sorted(kept + free))


@st.composite
def nested_records(draw):
    """The same with a layer of spans for each of two labels: those of different labels may overlap."""
    text = draw(st.text(st.sampled_from("ab ,é😀"), max_size=12))
    layers = {label: [] for label in ("gold", "found")}
    for label in LABELS[:2]:
        for spans in layers.values():
            spans += [Span(s.start, s.end, label) for s in draw(span_lists(text))]
    kept = {s for s in layers["gold"] if draw(st.booleans())}
    free = [s for s in layers["found"] if not any(overlap(s, k) for k in kept)]
    return text, tuple(sorted(layers["gold"])), tuple(sorted({*kept, *free}))


def overlap(a, b):
    return a.label == b.label and a.start < b.end and b.start < a.end


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(judged_records() | nested_records(), min_size=1, max_size=4))
def test_seqeval_agrees_with_exact_spans_on_every_record(records):
    examples = [Example(str(i), text, gold) for i, (text, gold, _) in enumerate(records)]
    predictions = {str(i): found for i, (_, _, found) in enumerate(records)}
    for example in [[x] for x in examples] + [examples]:
        exact = total(record_counts(example, predictions))
        scores = seqeval_scores(example, predictions, LABELS)
        assert scores["overall_precision"] == pytest.approx(exact.precision)
        assert scores["overall_recall"] == pytest.approx(exact.recall)
        assert scores["overall_f1"] == pytest.approx(exact.f1)


@settings(max_examples=150, deadline=None)
@given(judged_records())
def test_every_span_is_one_run_of_units(record):
    text, gold, found = record
    segments = units(text, [*gold, *found])
    tags = iob2(segments, gold, {label: label for label in LABELS})
    starts = [start for (start, _), tag in zip(segments, tags, strict=True) if tag.startswith("B-")]
    assert starts == [s.start for s in gold]
    assert {s.end for s in (*gold, *found)} <= {end for _, end in segments}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(judged_records() | nested_records(), min_size=1, max_size=4))
def test_three_implementations_count_the_same_right_spans(records):
    examples = [Example(str(i), text, gold) for i, (text, gold, _) in enumerate(records)]
    predictions = {str(i): found for i, (_, _, found) in enumerate(records)}
    result = evaluate(examples, predictions, LABELS, samples=100)
    correct = total(record_counts(examples, predictions)).correct
    assert result.errors["correct"] == result.boundary["strict"]["correct"] == correct
    paired = sum(result.errors[k] for k in ("correct", "boundary", "type", "both"))
    assert paired + result.errors["missed"] == result.n_spans
    assert paired + result.errors["spurious"] == result.n_predicted
    assert sum(row["support"] for row in result.per_label.values()) == result.n_spans
    assert result.boundary["strict"]["f1"] == pytest.approx(result.f1)


def test_a_word_width_is_no_excuse():
    """'Par' in 'Paris', and a span with a trailing blank, are wrong for both metrics."""
    examples = [Example("a", "Paris is far", (Span(0, 5, "LOC"),))]
    for wrong in (Span(0, 3, "LOC"), Span(0, 6, "LOC")):
        result = evaluate(examples, {"a": [wrong]}, ["LOC"])
        assert (result.f1, result.seqeval_f1) == (0.0, 0.0)
        assert result.errors["boundary"] == 1


def judged():
    """Four gold spans: one right, one with a wrong end, one with a wrong label, one missed; one spurious."""
    gold = (Span(0, 12, "PER"), Span(17, 32, "PER"), Span(36, 42, "LOC"))
    second = (Span(0, 3, "LOC"),)
    examples = [Example("a", TEXT, gold), Example("b", "Rome, then", second), Example("c", "nothing here", ())]
    predictions = {
        "a": [ScoredSpan(0, 12, "PER", 0.9), ScoredSpan(17, 24, "PER", 0.6), ScoredSpan(36, 42, "PER", 0.8)],
        "b": [ScoredSpan(6, 10, "LOC", 0.3)],
        "c": [],
    }
    return examples, predictions


def test_a_label_named_as_the_tag_outside_is_a_label():
    text, labels = "Ada met Bob in Rome on Monday.", ["per-son", "per_son", "O", "Ort"]
    gold = (Span(0, 3, "per-son"), Span(8, 11, "per_son"), Span(15, 19, "O"))
    found = [Span(0, 3, "per-son"), Span(8, 11, "per-son"), Span(23, 29, "Ort")]
    result = evaluate(
        [Example("1", text, gold)], {"1": [ScoredSpan(s.start, s.end, s.label, 0.9) for s in found]}, labels
    )
    assert result.f1 == result.seqeval_f1 == pytest.approx(1 / 3)
    assert result.confusion == {"": {"Ort": 1}, "O": {"": 1}, "per-son": {"per-son": 1}, "per_son": {"per-son": 1}}


def test_every_figure_of_a_small_example():
    examples, predictions = judged()
    result = evaluate(examples, predictions, ["PER", "LOC"])
    assert (result.n_records, result.n_spans, result.n_predicted) == (3, 4, 4)
    assert (result.precision, result.recall, result.f1, result.seqeval_f1) == (0.25, 0.25, 0.25, 0.25)
    assert result.errors == {"correct": 1, "boundary": 1, "type": 1, "both": 0, "missed": 1, "spurious": 1}
    assert result.confusion == {"LOC": {"": 1, "PER": 1}, "": {"LOC": 1}, "PER": {"PER": 2}}
    assert result.per_label["PER"] == {"precision": 1 / 3, "recall": 0.5, "f1": 0.4, "support": 2}
    assert result.boundary["ent_type"]["correct"] == 2
    assert result.boundary["exact"]["correct"] == 2
    assert result.boundary["partial"]["partial"] == 1
    assert 0 <= result.f1_low <= result.f1 <= result.f1_high <= 1


def test_calibration_of_the_small_example():
    examples, predictions = judged()
    result = evaluate(examples, predictions, ["PER", "LOC"])
    right = {(round(b.low, 1), b.n): b.correct for b in result.reliability}
    assert right == {(0.3, 1): 0.0, (0.6, 1): 0.0, (0.8, 1): 0.0, (0.9, 1): 1.0}
    assert result.ece == pytest.approx((0.3 + 0.6 + 0.8 + 0.1) / 4)


def test_scores_of_calibrated_spans_have_no_calibration_error():
    """Ten spans at 0.7, seven of them right."""
    examples = [Example(str(i), "ab", (Span(0, 1, "x"),) if i < 7 else ()) for i in range(10)]
    result = evaluate(examples, {str(i): [ScoredSpan(0, 1, "x", 0.7)] for i in range(10)}, ["x"])
    assert result.ece == pytest.approx(0.0, abs=1e-9)


def test_evaluation_survives_json_and_prints_a_table():
    examples, predictions = judged()
    result = evaluate(examples, predictions, ["PER", "LOC"])
    adapter = TypeAdapter(Evaluation)
    assert adapter.validate_json(adapter.dump_json(result)) == result
    assert result.markdown().splitlines()[-1] == "| **all** | 25.0 | 25.0 | 25.0 | 4 |"
    assert result.headline().startswith("F1 25.0 (")


def test_nested_spans_are_right_one_by_one():
    """A person named after a place: the person's end is wrong, the place is right; another place was overlooked."""
    gold = (Span(0, 12, "PER"), Span(4, 12, "LOC"), Span(36, 42, "LOC"))
    predictions = {"a": [ScoredSpan(0, 16, "PER", 0.9), ScoredSpan(4, 12, "LOC", 0.8)]}
    result = evaluate([Example("a", TEXT, gold)], predictions, ["PER", "LOC"])
    assert (result.precision, result.recall, result.f1) == (0.5, 1 / 3, 0.4)
    assert result.seqeval_f1 == pytest.approx(0.4)
    assert result.per_label["LOC"]["recall"] == 0.5
    assert result.errors == {"correct": 1, "boundary": 1, "type": 0, "both": 0, "missed": 1, "spurious": 0}
    assert result.boundary["strict"]["correct"] == 1


def test_records_without_any_span_score_zero_and_never_nan():
    result = evaluate([Example("a", "nothing", ()), Example("b", "more of it", ())], {"a": [], "b": []}, ["PER"])
    assert (result.f1, result.seqeval_f1, result.f1_low, result.f1_high) == (0.0, 0.0, 0.0, 0.0)
    assert result.ece is None
    assert not any(math.isnan(v) for row in result.boundary.values() for v in row.values())


def test_empty_text_is_a_record_too():
    result = evaluate([Example("a", "", ()), Example("b", "x", (Span(0, 1, "x"),))], {"a": [], "b": []}, ["x"])
    assert (result.n_records, result.f1) == (2, 0.0)


def test_a_label_the_task_no_longer_has_counts_as_wrong():
    examples = [Example("a", TEXT, (Span(0, 12, "PER"),))]
    result = evaluate(examples, {"a": [Span(0, 12, "PER"), Span(36, 42, "GONE")]}, ["PER"])
    assert list(result.per_label) == ["PER", "GONE"]
    assert (result.precision, result.recall) == (0.5, 1.0)


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ({}, "'a' has no prediction"),
        ({"a": [Span(0, 5, "x"), Span(3, 7, "x")]}, "'a': predicted span 3-7 .* overlaps"),
        ({"a": [Span(0, 5, "x"), Span(0, 5, "x")]}, "'a': predicted span 0-5 .* overlaps"),
        ({"a": [Span(0, 99, "x")]}, "'a': predicted span 0-99 .* outside"),
        ({"a": [Span(4, 4, "x")]}, "'a': predicted span 4-4 .* empty"),
        ({"a": [ScoredSpan(0, 4, "x", 1.5)]}, "score 1.5 is no probability"),
    ],
)
def test_bad_predictions_name_the_record(predictions, message):
    with pytest.raises(DataError, match=message):
        evaluate([Example("a", "some text", ())], predictions, ["x"])


def test_an_empty_split_cannot_be_evaluated():
    with pytest.raises(DataError, match="no record to evaluate"):
        evaluate([], {}, ["x"])


def test_the_metric_folder_loads_without_a_network(tmp_path):
    metric = hf_evaluate.load(str(METRIC), cache_dir=str(tmp_path), keep_in_memory=True)
    references = [["B-PER", "I-PER", "O", "O", "B-LOC"], ["O", "O"]]
    predictions = [["B-PER", "I-PER", "O", "I-LOC", "B-LOC"], ["O", "B-PER"]]
    scores = metric.compute(predictions=predictions, references=references)
    assert json.loads(json.dumps(scores)) == scores
    assert scores["overall_precision"] == pytest.approx(2 / 3)  # I-LOC after O opens nothing in strict IOB2
    assert scores["overall_recall"] == 1.0
    assert scores["PER"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
