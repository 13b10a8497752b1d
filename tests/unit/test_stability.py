"""Agreement of successive models, and the bound on F1 that follows."""

from itertools import product

import pytest

from spanloop.evaluation.stability import kappa, largest_change, stability
from spanloop.records import ScoredSpan, Span

A, B, C = Span(0, 1, "x"), Span(2, 3, "x"), Span(4, 5, "y")


def found(*spans):
    return {"1": spans}


def test_agreement_is_the_f1_of_one_against_the_other():
    assert kappa(found(A, B), found(A, B)) == 1.0
    assert kappa(found(A, B), found(A, C)) == 0.5
    assert kappa(found(A), found()) == 0.0
    assert kappa(found(), found()) == 1.0


def test_scores_are_not_compared():
    assert kappa(found(ScoredSpan(0, 1, "x", 0.9)), found(ScoredSpan(0, 1, "x", 0.4))) == 1.0


def cohen(both, first, second, neither):
    """Cohen's kappa of two models that mark spans out of many."""
    n = both + first + second + neither
    observed = (both + neither) / n
    chance = ((both + first) * (both + second) + (second + neither) * (first + neither)) / n**2
    return (observed - chance) / (1 - chance)


def test_cohens_kappa_comes_to_it_as_what_nobody_marks_grows():
    models = (
        {str(i): [A] for i in range(8)} | {"8": [A], "9": []},
        {str(i): [A] for i in range(8)} | {"8": [], "9": [A]},
    )
    assert cohen(8, 1, 1, 10) < cohen(8, 1, 1, 1000) < kappa(*models)
    assert cohen(8, 1, 1, 10**7) == pytest.approx(kappa(*models), abs=1e-5)


def test_the_bound_is_the_papers():
    assert largest_change(0.99) == pytest.approx(0.0404, abs=1e-4)
    assert largest_change(1.0) == 0.0
    assert largest_change(0.0) == largest_change(0.5) == 1.0


def f1(spans, gold):
    return 2 * len(spans & gold) / (len(spans) + len(gold)) if spans or gold else 0.0


@pytest.mark.parametrize(("both", "first", "second"), [(6, 1, 1), (7, 0, 1), (5, 2, 0), (4, 1, 2)])
def test_no_right_answers_break_the_bound(both, first, second):
    """Every set of right answers among the spans that are marked, and some that are not."""
    spans = [Span(i, i + 1, "x") for i in range(both + first + second + 1)]
    a, b = set(spans[: both + first]), set(spans[:both]) | set(spans[both + first : -1])
    bound = largest_change(kappa({"1": list(a)}, {"1": list(b)}))
    for chosen in product([False, True], repeat=len(spans)):
        gold = {span for span, right in zip(spans, chosen, strict=True) if right}
        assert abs(f1(a, gold) - f1(b, gold)) <= bound + 1e-12


def test_three_pairs_at_99_percent_are_stable():
    many = {str(i): [A] for i in range(200)}
    one_off = many | {"0": []}
    found = stability([many, one_off, one_off, many, many])
    assert found.stable
    assert (found.texts, len(found.kappas), found.bound) == (200, 3, 0.0)
    assert not stability([many, one_off, many]).stable  # two pairs
    assert not stability([{str(i): [] for i in range(200)}, many, many, many]).stable


def test_one_model_has_nothing_to_agree_with():
    assert stability([{"1": [A]}]) is None
    assert stability([{}, {}]) is None
