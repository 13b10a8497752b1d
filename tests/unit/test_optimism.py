"""What it flatters a model to be reported on the records that chose it."""

import numpy as np
import pytest

from spanloop.config import GateConfig
from spanloop.evaluation.counts import f1_of
from spanloop.evaluation.optimism import optimism, optimism_of
from spanloop.records import Example, Span

GATE = GateConfig()
EXAMPLES = [Example(str(i), "ab", (Span(0, 1, "x"),)) for i in range(40)]


def right_on(records):
    return {str(i): [Span(0, 1, "x")] if i in records else [] for i in range(40)}


def test_a_model_that_stood_alone_was_not_chosen():
    assert optimism(EXAMPLES, [right_on(range(20))], 0, GATE) == 0.0


def test_models_far_apart_are_not_chosen_by_luck():
    models = [right_on(range(4)), right_on(range(20)), right_on(range(38))]
    assert optimism(EXAMPLES, models, 2, GATE) < 0.005


def test_a_champion_that_stayed_is_not_flattered_by_the_one_that_nearly_won():
    """A close call: made anew, the challenger wins many times; the champion's own F1 owes nothing to that."""
    models = [right_on(range(20)), right_on([*range(4, 28), 33])]
    assert optimism(EXAMPLES, models, 1, GATE) > 0.0
    assert optimism(EXAMPLES, models, 0, GATE) == 0.0


def test_a_single_document_corrects_nothing():
    one = [Example(e.id, e.text, e.spans, "doc") for e in EXAMPLES]
    assert optimism(one, [right_on(range(4)), right_on(range(20))], 1, GATE) == 0.0


def test_a_dozen_spans_are_too_few_to_correct_by():
    models, lenient = [right_on(range(0, 40, 2)), right_on(range(1, 40, 2))], GateConfig(max_risk=0.5)
    assert optimism(EXAMPLES, models, 0, lenient) > 0.01
    assert optimism(EXAMPLES[:12], models, 0, lenient) == 0.0


def test_documents_are_drawn_whole():
    """Records drawn, the second model wins for sure; documents drawn, it may owe it to the one that suits it."""
    grouped = [Example(e.id, e.text, e.spans, f"doc {i // 8}") for i, e in enumerate(EXAMPLES)]
    models, lenient = [right_on(range(8)), right_on(range(8, 24))], GateConfig(max_risk=0.5)
    assert optimism(grouped, models, 1, lenient) > optimism(EXAMPLES, models, 1, lenient) + 0.01


@pytest.mark.parametrize("records", [50, 100])
def test_eight_equal_models_on_one_test_split_lose_their_flattery(records):
    """Each finds 0.7 of the spans, others by chance; the gate that takes the higher F1 is the most flattering one."""
    rng, config, truth = np.random.default_rng(records), GateConfig(margin=0.0, max_risk=0.5), 2 * 0.7 / 1.7
    raw, corrected = [], []
    for _ in range(100):
        found = rng.binomial(2, 0.7, (records, 8))
        counts = np.stack([found, found, np.full_like(found, 2)], axis=-1)
        scores = f1_of(counts.sum(axis=0))
        best = scores.max()
        raw.append(best - truth)
        corrected.append(best - optimism_of(counts, int(scores.argmax()), config) - truth)
    assert np.mean(raw) > 0.025
    assert abs(np.mean(corrected)) < 0.01
