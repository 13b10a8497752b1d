"""The verdict of hand-made rehearsals."""

import csv
import io
import json
import xml.etree.ElementTree as ET

import pytest

from spanloop.rehearsal.plan import Plan, Shape, budgets_of
from spanloop.rehearsal.sheet import PICTURE, write_sheet
from spanloop.rehearsal.step_results import StepResult
from spanloop.rehearsal.verdict import judge

PLAN = Plan(labels=["a"], records=1000, words=10_000, judges=200, budgets=[200, 400, 800], data="d", settings={})


def a_step(strategy, seed, step, words, f1, **changes):
    figures = {"reported_f1": f1, "n_test": 10, "split_f1": f1, "selected_f1": None, "n_selected": 0}
    given = {"strategy": strategy, "seed": seed, "step": step, "records": words // 10, "words": words, "f1": f1}
    lists = {"batch": [], "upcoming": [], "selected": [], "seconds": {"train": 1.0}}
    return StepResult(**{**given, **figures, **lists, "spans": words // 5, **changes})


def a_run(strategy, seed, f1s, **changes):
    return [
        a_step(strategy, seed, i, w, f1, **changes) for i, (w, f1) in enumerate(zip(PLAN.budgets, f1s, strict=True))
    ]


def whole_pool(*f1s):
    return [a_step("full", seed, 0, PLAN.words, f1) for seed, f1 in enumerate(f1s)]


def test_words_and_records_at_shares_of_the_whole_pool():
    """95 % of 0.8 is 0.76: for one half way between 0.72 at 400 words and 0.8 at 800."""
    found = judge([*whole_pool(0.8), *a_run("mnlp", 0, [0.6, 0.72, 0.8])], PLAN).standings["mnlp"]
    assert found.words_to == {90: 400, 95: pytest.approx(600), 99: pytest.approx(760)}
    assert found.records_to == {90: 40, 95: pytest.approx(60), 99: pytest.approx(76)}


def test_a_curve_that_stays_below_is_drawn_on_to_the_whole_pool():
    found = judge([*whole_pool(0.7, 0.9), *a_run("mnlp", 0, [0.2, 0.3, 0.4])], PLAN).standings["mnlp"]
    assert found.words_to[95] == pytest.approx(800 + 9200 * (0.76 - 0.4) / 0.4)


def test_without_the_whole_pool_nothing_is_a_share_of_it():
    found = judge(a_run("mnlp", 0, [0.6, 0.7, 0.8]), PLAN)
    assert found.full_f1 is None
    assert found.standings["mnlp"].words_to == {90: None, 95: None, 99: None}
    assert found.standings["mnlp"].saving == {"words": None, "records": None}


def test_the_saving_is_paired_by_seed():
    """With each seed mnlp needs half of what random needs, however different the seeds are."""
    runs = [
        *whole_pool(0.8),
        *a_run("mnlp", 0, [0.76, 0.78, 0.8]),
        *a_run("random", 0, [0.7, 0.76, 0.78]),
        *a_run("mnlp", 1, [0.7, 0.76, 0.8]),
        *a_run("random", 1, [0.5, 0.6, 0.76]),
        *a_run("random", 2, [0.1, 0.2, 0.3]),  # no pair
    ]
    saved = judge(runs, PLAN).standings["mnlp"].saving["words"]
    assert (saved.mean, saved.low, saved.high) == tuple(pytest.approx(0.5) for _ in range(3))
    assert saved.seeds == 2


def test_the_best_comes_first_and_who_cannot_be_told_from_it_is_named():
    runs = [
        *a_run("random", 0, [0.1, 0.2, 0.3]),
        *a_run("random", 1, [0.2, 0.3, 0.4]),
        *a_run("mnlp", 0, [0.50, 0.60, 0.72]),
        *a_run("mnlp", 1, [0.60, 0.70, 0.80]),
        *a_run("margin", 0, [0.51, 0.61, 0.70]),
        *a_run("margin", 1, [0.59, 0.69, 0.80]),
    ]
    found = judge(runs, PLAN)
    assert list(found.standings) == ["mnlp", "margin", "random"]
    assert found.tied == ["mnlp", "margin"]
    assert found.standings["mnlp"].auc_over_random.mean > 0.3


def test_a_run_that_is_not_through_does_not_count():
    runs = [*a_run("mnlp", 0, [0.6, 0.7, 0.8]), *a_run("mnlp", 1, [0.6, 0.7, 0.8])[:2]]
    assert judge(runs, PLAN).standings["mnlp"].seeds == 1
    assert judge(runs[3:], PLAN).standings == {}


def test_the_bias_weighs_steps_by_their_test_records():
    steps = [
        a_step("mnlp", 0, 0, 200, 0.6, reported_f1=0.7, n_test=10),  # +10 points
        a_step("mnlp", 0, 1, 400, 0.6, reported_f1=0.6, n_test=30),
        a_step("mnlp", 0, 2, 800, 0.6, reported_f1=None, n_test=0),
    ]
    assert judge(steps, PLAN).standings["mnlp"].reported_minus_true.mean == pytest.approx(0.025)
    assert judge(steps, PLAN).standings["mnlp"].selected_minus_true is None


def test_budgets_are_shares_of_the_words_in_equal_ratios():
    assert budgets_of(100_000, 10_000, Shape(start=0.02, until=0.32, steps=5)) == [2000, 4000, 8000, 16_000, 32_000]


def test_the_first_budget_holds_fifty_records_of_mean_length():
    assert budgets_of(10_000, 500, Shape(start=0.02, until=0.4, steps=3)) == [1000, 2000, 4000]


def test_the_sheet_is_the_same_whatever_the_order_in_which_steps_came(tmp_path):
    steps = [*whole_pool(0.8), *a_run("mnlp", 0, [0.6, 0.7, 0.8]), *a_run("random", 0, [0.5, 0.6, 0.7])]
    contents = []
    for order in (steps, steps[::-1]):
        write_sheet(tmp_path, order, PLAN)
        contents.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert contents[0] == contents[1]
    assert set(contents[0]) == {"results.csv", "times.csv", "summary.json", PICTURE}

    rows = list(csv.DictReader(io.StringIO(contents[0]["results.csv"].decode())))
    assert [row["strategy"] for row in rows] == ["full", "mnlp", "mnlp", "mnlp", "random", "random", "random"]
    assert rows[1] | {"f1": "0.600000", "words": "200", "selected_f1": ""} == rows[1]
    tree = json.loads(contents[0]["summary.json"])
    assert tree["best"] == "mnlp"
    told = {"auc", "words_to_90", "words_to_95", "words_to_99", "records_to_95", "saving_vs_random_at_95"}
    assert told <= set(tree["strategies"]["mnlp"])
    assert tree["strategies"]["mnlp"]["saving_vs_random_at_95"]["words"]["mean"] > 0
    texts = [text.text for text in ET.fromstring(contents[0][PICTURE]).iter("{http://www.w3.org/2000/svg}text")]
    assert {"mnlp", "random", "annotated words"} <= set(texts)
