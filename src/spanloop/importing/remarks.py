"""What a file holds and no record does, or what was taken for granted: counted, with the first place of each kind."""

from collections import Counter


class Remarks:
    """Remarks on the rows of a file.

    Attributes:
        counts: How often each was made.
        places: Where each was made first.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.counts: Counter[str] = Counter()
        self.places: dict[str, str] = {}

    def add(self, remark: str, where: str) -> None:
        """Make a remark on a place."""
        self.counts[remark] += 1
        self.places.setdefault(remark, where)

    def lines(self) -> list[str]:
        """A line a kind, e.g. `2 annotations left out, their answer is 'reject' (first: x.jsonl, line 3)`."""
        return [f"{count:,} {remark} (first: {self.places[remark]})" for remark, count in self.counts.items()]
