"""When to stop, in words: what the next records bring and cost, and what is not known of it."""

from spanloop.annotations.acceptance import VersionAcceptance
from spanloop.annotations.effort import Effort
from spanloop.evaluation.forecast import LEVEL, Gain
from spanloop.evaluation.stability import STABLE, WINDOW, Stability
from spanloop.rounds.figures import OutlookFigures, Prospect
from spanloop.rounds.report import RoundReport

_TELLING = 20  # suggested spans from which their share is given in percent


def advice(report: RoundReport) -> str:
    """One plain sentence: what the next batch should bring, for how many hours, and what annotators keep; or why not.

    Returns:
        The sentence; empty for a round that knows no outlook.
    """
    if report.figures is None or (following := report.figures.outlook.next_batch) is None:
        return ""
    outlook, pending = report.figures.outlook, report.figures.pull.pending
    kept = _kept(report.accepted or report.figures.annotations.acceptance.total())
    clauses = _promise(following, outlook) if pending else ["no record is left to annotate"]
    return "; ".join([*clauses, kept])


def outlook_rows(report: RoundReport) -> list[tuple[str, str]]:
    """The sentence and the figures behind it, as pairs of name and value; none for a round that knows no outlook."""
    if not (sentence := advice(report)) or report.figures is None:
        return []
    outlook, pending = report.figures.outlook, report.figures.pull.pending
    return [
        ("when to stop", sentence),
        *_doubled(outlook, pending),
        *([("past models", _models(outlook))] if outlook.models else []),
        *([("models agree", _agreement(outlook.stability))] if outlook.stability else []),
        *_cost(outlook.effort),
    ]


def _promise(following: Prospect, outlook: OutlookFigures) -> list[str]:
    """The clauses on gain and hours, each also where it is not known."""
    records, hours = _more(following, outlook.effort), outlook.effort.hours(following.records)
    unknown = [] if hours is not None else [f"hours are not known, {outlook.effort.reason}"]
    if following.gain:
        return [f"{records} should bring {_gain(following.gain)}", *unknown]
    return [f"what {records} bring is not known yet, {outlook.missing}", *unknown]


def _more(prospect: Prospect, effort: Effort) -> str:
    hours = effort.hours(prospect.records)
    cost = "" if hours is None else f" (about {_duration(hours)})"
    return f"{prospect.records:,} more records{cost}"


def _duration(hours: float) -> str:
    if hours < 1:
        return f"{max(round(60 * hours), 1)} minutes"
    return f"{hours:.1f} hours" if hours < 10 else f"{hours:.0f} hours"


def _gain(gain: Gain) -> str:
    return f"{100 * gain.expected:+.1f} F1 ({100 * gain.low:.1f} to {100 * gain.high:.1f})"


def _kept(accepted: VersionAcceptance | None) -> str:
    if accepted is None or not accepted.n_suggested:
        return "no suggestion has been answered yet"
    if accepted.n_suggested < _TELLING:
        return f"annotators kept {accepted.n_kept} of the first {accepted.n_suggested} suggested spans"
    return f"annotators keep {100 * accepted.precision:.0f} % of what is suggested"


def _doubled(outlook: OutlookFigures, pending: int) -> list[tuple[str, str]]:
    if (doubled := outlook.doubled) is None or doubled.gain is None:
        return []
    beyond = f"; only {pending:,} are left" if doubled.records > pending else ""
    held = f"; such an interval holds what comes in {100 * LEVEL:.0f} of 100 cases"
    return [("twice the labels", f"{_more(doubled, outlook.effort)}: {_gain(doubled.gain)}{beyond}{held}")]


def _models(outlook: OutlookFigures) -> str:
    """Every past model on today's test split, with what it learnt from."""
    told = [
        f"{past.f1 * 100:.1f} with {past.records:,} records" + (f", {past.words:,} words" if past.words else "")
        for past in outlook.models
    ]
    return "F1 on this test split: " + "; ".join(told)


def _agreement(found: Stability) -> str:
    kappas = ", ".join(f"{100 * kappa:.0f}" for kappa in found.kappas)
    bound = (
        f"F1 of the last two differs by {100 * found.bound:.0f} at most" if found.bound < 1 else "no bound on F1 yet"
    )
    verdict = "predictions are stable" if found.stable else f"stable from {100 * STABLE:.0f} % over {WINDOW} pairs"
    return f"each with the one before on {kappas} % of spans, in {found.texts:,} held-out texts: {bound}; {verdict}"


def _cost(effort: Effort) -> list[tuple[str, str]]:
    if effort.record_seconds is None or effort.word_seconds is None:
        return []
    who = "1 annotator" if effort.people == 1 else f"{effort.people} annotators"
    figures = f"{effort.record_seconds:.0f} s a record, {effort.word_seconds:.1f} s a word"
    return [("cost", f"{figures} (medians of {effort.records:,} responses by {who})")]
