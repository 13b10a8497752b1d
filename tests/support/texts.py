"""Hypothesis strategies for texts and spans that have gone wrong somewhere before."""

from itertools import pairwise

from hypothesis import strategies as st

from spanloop.records import Span

FRAGMENTS = [
    "Paris", "in", "Saint-Denis", "U.S.", "don't", "x_y", "3.14", "10mg", " ", "  ", "\t", "\n", "\r\n", ".", ",", "(",
    "😀", "👩\u200d👩\u200d👧\u200d👦", "👍🏽", "🏴\U000e0067\U000e0062\U000e007f", "🇫🇷", "🇫", "1\ufe0f\u20e3",
    "❤\ufe0f", "\u00a0",
    "e\u0301", "\u0301", "क्षि", "הָעוֹלָם", "مرحبا", "می\u200cخواهم", "\u202b", "\u202c", "\u200f",
    "\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "co\u00adop", "\x00", "\u2028",
    "東京", "タワー", "서울에서", "\u1112\u1161\u11ab", "ที่ไทย", "𠮷", "𝔘", "²", "½", "İ", "ß", "ǆ",
]  # fmt: skip
LABELS = ["PER", "LOC"]

texts = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=12).map("".join)


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text and spans in it: nested, overlapping, adjacent, duplicate, at 0 and at the end, none empty."""
    text = draw(texts.filter(bool))
    edges = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(edges, edges, st.sampled_from(LABELS)), max_size=8))
    spans = [Span(min(a, b), max(a, b), label) for a, b, label in pairs if a != b]
    return text, spans + draw(st.lists(st.sampled_from(spans), max_size=2) if spans else st.just([]))


@st.composite
def texts_with_disjoint_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A text and sorted, disjoint spans in it, adjacent ones of one label among them."""
    text = draw(texts.filter(bool))
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
    labels = st.sampled_from([*LABELS, ""])  # empty: no span here
    spans = [Span(a, b, draw(labels)) for a, b in pairwise(cuts)]
    return text, [span for span in spans if span.label]
