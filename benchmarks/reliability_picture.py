"""How often suggestions of a score are right, as a picture: a line for each corpus beside the diagonal."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean

from spanloop.evaluation.calibration import BINS
from spanloop.reports.chart import Line, Mark, chart

Row = tuple[int, float, float]
"""Of an interval of scores that holds a span: the spans, their mean score, the share of them that is right."""

_RADIUS = 16.0  # of a dot of all spans, in pixels: areas are in proportion


def reliability_picture(seeds: Mapping[str, Sequence[Sequence[Row]]], title: str) -> str:
    """Draw the share of right spans over their score, of the spans of all seeds, and the range over seeds.

    Args:
        seeds: The rows of each seed, by corpus.
        title: Heading of the picture.

    Returns:
        An SVG document: dots in proportion to the corpus's spans, with their number where the mouse rests.
    """
    lines = [_line(corpus, [row for rows in of_seeds for row in rows]) for corpus, of_seeds in seeds.items()]
    diagonal = [Mark(100 * end, end, "as scored", radius=0) for end in (0.0, 1.0)]
    return chart([*lines, Line("as scored", diagonal)], title=title, x_label="score of a suggestion, %")


def _line(corpus: str, rows: Sequence[Row]) -> Line:
    places, spans = defaultdict[int, list[Row]](list), sum(n for n, *_ in rows)
    for row in rows:
        places[min(int(BINS * row[1]), BINS - 1)].append(row)
    return Line(f"{corpus}, {spans:,} spans", [_mark(corpus, places[at], spans) for at in sorted(places)])


def _mark(corpus: str, rows: Sequence[Row], spans: int) -> Mark:
    sizes, scores, shares = zip(*rows, strict=True)
    score, right, low, high = fmean(scores, sizes), fmean(shares, sizes), min(shares), max(shares)
    hint = f"{corpus}: of {sum(sizes):,} spans with a score of {score:.2f}, {100 * right:.0f} % are right"
    hint += f" ({100 * low:.0f} to {100 * high:.0f} % by seed)"
    return Mark(100 * score, right, hint, low, high, _RADIUS * sqrt(sum(sizes) / spans))
