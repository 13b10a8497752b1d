"""How simulated annotators err: by mistakes of their own, and by leaning to what is suggested to them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from spanloop.records import Record, Span


@dataclass(frozen=True, slots=True)
class Habits:
    """How one simulated annotator errs.

    Attributes:
        error_rate: Share of the spans that are answered wrongly, whatever is suggested, in 0..1.
        anchoring: Chance that a wrong suggestion is kept, and that a span without any is overlooked, in 0..1; only
            where there is a suggestion to lean to.
        seed: Of both; they depend on seed, annotator and record alone.
    """

    error_rate: float = 0.0
    anchoring: float = 0.0
    seed: int = 0

    def answer(self, name: str, record: Record, gold: Iterable[Span], labels: Sequence[str]) -> tuple[Span, ...]:
        """What an annotator marks in a record.

        Args:
            name: The annotator.
            record: The record, with the suggestion that is shown.
            gold: Its right spans.
            labels: The labels to choose from.
        """
        spans, key = tuple(gold), f"{self.seed}/{name}/{record.id}"
        if self.anchoring and record.suggestion:
            suggested = {span.span for span in record.suggestion.spans}
            spans = anchored(spans, suggested, self.anchoring, Random(f"{key}/anchoring"))  # noqa: S311, chance, not secrecy
        if self.error_rate:
            spans = with_mistakes(spans, record.text, labels, self.error_rate, Random(key))  # noqa: S311
        return spans


def anchored(spans: Iterable[Span], suggested: Collection[Span], rate: float, random: Random) -> tuple[Span, ...]:
    """Lean to suggestions: keep some that are wrong, overlook some of what they lack.

    A wrong suggestion that is kept takes the place of the right spans that it overlaps. One that is corrected has drawn
    attention to them, so only spans that no suggestion touches are overlooked.

    Args:
        spans: The right spans.
        suggested: Those that the annotator sees.
        rate: Chance that a wrong suggestion is kept, and that a span without any is overlooked: 0 gives the right
            spans, 1 the suggested ones.
        random: The source of chance.

    Returns:
        Sorted spans; without overlap if neither side has any.
    """
    right, seen = set(spans), set(suggested)
    kept = {span for span in sorted(seen - right) if random.random() < rate}
    found = right & seen
    for span in sorted(right - seen):
        touched = _touches(span, seen)
        if not _touches(span, kept) and (touched or random.random() >= rate):
            found.add(span)
    return tuple(sorted(found | kept))


def _touches(span: Span, others: Iterable[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)


def with_mistakes(
    spans: Iterable[Span], text: str, labels: Sequence[str], rate: float, random: Random
) -> tuple[Span, ...]:
    """Answer some spans wrongly: overlook one, move an end to another word, or take another label.

    Args:
        spans: The right spans.
        text: The text.
        labels: The labels to choose from.
        rate: Share of the spans answered wrongly.
        random: The source of chance.

    Returns:
        Disjoint spans, sorted.
    """
    wrong: list[Span] = []
    for span in sorted(spans):
        answer: Span | None = span
        if random.random() < rate:
            kinds = [_overlooked, _shortened] + [_mislabelled] * (len(labels) > 1)
            answer = random.choice(kinds)(span, text, labels, random)
        if answer is not None:
            wrong.append(answer)
    return tuple(wrong)


def _overlooked(_span: Span, _text: str, _labels: Sequence[str], _random: Random) -> Span | None:
    return None


def _shortened(span: Span, text: str, _labels: Sequence[str], _random: Random) -> Span | None:
    """Without its last word; overlooked where it has only one."""
    words = text[span.start : span.end].rsplit(None, 1)
    return Span(span.start, span.start + len(words[0]), span.label) if len(words) > 1 else None


def _mislabelled(span: Span, _text: str, labels: Sequence[str], random: Random) -> Span | None:
    return Span(span.start, span.end, random.choice([label for label in labels if label != span.label]))
