"""Agreement figures against hand-computed and published values."""

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from texts import LABELS

from spanloop.annotations.agreement import AgreementReport, agreement, mean_pairwise_f1
from spanloop.records import Record, Response, Span
from spanloop.words import split_words

TEXT = "Ada met Bob in Rome today"  # words at 0-3, 4-7, 8-11, 12-14, 15-19, 20-25
ADA, BOB, ROME = Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 19, "LOC")


def record(record_id: str, *answers: list[Span], text: str = TEXT) -> Record:
    responses = tuple(
        Response(f"user-{i}", "submitted", tuple(spans), f"2026-01-0{i + 1}T00:00:00Z")
        for i, spans in enumerate(answers)
    )
    return Record(record_id, text, record_id, responses=responses)


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Alpha for nominal values and any number of observers: the definition, against which the counts are held."""
    units = [values for values in units if len(values) > 1]
    totals = Counter(value for values in units for value in values)
    observed = sum(sum(a != b for a, b in permutations(values, 2)) / (len(values) - 1) for values in units)
    expected = sum(totals[a] * totals[b] for a, b in permutations(totals, 2))
    return 1 - (totals.total() - 1) * observed / expected if expected else None


def test_alpha_of_two_observers_and_two_values() -> None:
    """Krippendorff 2011, example A."""
    a, b = "0100000010", "1110010000"
    assert krippendorff_alpha(zip(a, b, strict=True)) == pytest.approx(0.095, abs=0.0005)


def test_alpha_of_two_observers_and_five_values() -> None:
    """Krippendorff 2011, example B."""
    a, b = "aabbdcccedda", "babbbccceddd"
    assert krippendorff_alpha(zip(a, b, strict=True)) == pytest.approx(0.692, abs=0.0005)


def test_alpha_of_four_observers_with_missing_values() -> None:
    """Krippendorff 2011, example C."""
    rows = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    units = [[value for value in column if value != "."] for column in zip(*rows, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=0.0005)


def test_alpha_is_undefined_where_nothing_varies() -> None:
    assert krippendorff_alpha([["a", "a"], ["a", "a"]]) is None
    assert krippendorff_alpha([["a"], []]) is None


def test_pairwise_f1_of_a_record() -> None:
    assert mean_pairwise_f1([{ADA, BOB}, {ADA}]) == pytest.approx(2 / 3)
    assert mean_pairwise_f1([{ADA}, {ADA}, set()]) == pytest.approx(1 / 3)
    assert mean_pairwise_f1([set(), set()]) == 1


def test_the_report_by_hand() -> None:
    report = agreement(
        [
            record("r1", [ADA, BOB, ROME], [ADA, ROME, Span(8, 14, "PER")]),
            record("r2", [ROME], [ROME]),
            record("r3", [], [], []),
            record("r4", [ADA]),
        ]
    )
    assert (report.records, report.annotators) == (3, 3)
    assert report.pairwise_f1 == pytest.approx(2 * (2 + 1) / (6 + 2))
    assert report.most_disputed == [("r1", pytest.approx(2 / 3))]
    # PER: r1's six words get (1,1) (0,0) (1,1) (0,1) (0,0) (0,0); r2's twelve and r3's eighteen answers are all 0.
    # n = 42 values, 5 ones, one of the 24 words disputed: alpha = 1 - 41 * 2 * (1 * 1) / (2 - 1) / (2 * 5 * 37)
    assert report.alpha["PER"] == pytest.approx(1 - 41 * 2 / (2 * 5 * 37))
    assert report.alpha["LOC"] == pytest.approx(1)


def test_one_annotator_has_nobody_to_agree_with() -> None:
    assert agreement([record("r1", [ADA]), record("r2", [])]) == AgreementReport()


def test_drafts_do_not_count() -> None:
    draft = Response("user-9", "draft", (BOB,), "2026-01-01T00:00:00Z")
    assert agreement([Record("r1", TEXT, "r1", responses=(*record("r1", [ADA]).responses, draft))]).records == 0


def test_white_space_at_an_edge_and_duplicates_are_no_disagreement() -> None:
    assert agreement([record("r1", [Span(0, 4, "PER")], [ADA, ADA])]).pairwise_f1 == 1


def test_the_most_disputed_come_worst_first() -> None:
    records = [record("half", [ADA, BOB], [ADA]), record("none", [ADA], [BOB]), record("also", [ROME], [])]
    assert [name for name, _ in agreement(records).most_disputed] == ["also", "none", "half"]
    assert [name for name, _ in agreement(records, most_disputed=1).most_disputed] == ["also"]


answers = st.lists(
    st.builds(
        lambda a, n, label: Span(a, min(a + n, 25), label),
        st.integers(0, 24),
        st.integers(1, 12),
        st.sampled_from(LABELS),
    ),
    max_size=3,
)


@given(st.lists(st.lists(answers, min_size=1, max_size=4), max_size=4))
def test_alpha_of_labels_is_alpha_of_words(many: list[list[list[Span]]]) -> None:
    """The counts that the report keeps give what a table of every word would."""
    text = "x" * 25  # no white space: nothing to trim
    text = " ".join(text[i : i + 3] for i in range(0, 25, 4))
    records = [record(f"r{i}", *given, text=text) for i, given in enumerate(many)]
    report = agreement(records)
    for label, alpha in report.alpha.items():
        units = [
            [any(s.label == label and s.start < b and a < s.end for s in r.spans) for r in one.submitted]
            for one in records
            for a, b in split_words(text)
        ]
        assert alpha == pytest.approx(krippendorff_alpha(units))
