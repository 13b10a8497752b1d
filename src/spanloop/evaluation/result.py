"""What an evaluation found, as one value that can be stored, read back and printed."""

from dataclasses import dataclass, field

from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from spanloop.evaluation.calibration import Bin


class LabelScores(TypedDict):
    """One label's row: ratios in 0..1, `support` in gold spans."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One model's scores on one split.

    Attributes:
        n_records: Records it was judged on.
        n_groups: Groups that they belong to.
        n_spans: Gold spans in them.
        n_predicted: Spans the model predicted in them.
        precision: Exact-span precision, micro-averaged.
        recall: Exact-span recall, micro-averaged.
        f1: Exact-span F1, micro-averaged.
        f1_low: Lower end of the 95 % bootstrap interval of `f1` over groups.
        f1_high: Upper end.
        per_label: Scores by label, in the order of the task's labels.
        seqeval_f1: The same F1 as strict IOB2 seqeval computes it.
        confusion: Spans by gold label, then predicted label; the empty name stands for no span.
        errors: Spans by kind: correct, boundary, type, both, missed, spurious.
        boundary: nervaluate's schemes strict, exact, partial, ent_type: counts and ratios.
        ece: Expected calibration error of the span scores; None where no predicted span has a score.
        reliability: The bins behind `ece`.
    """

    n_records: int
    n_groups: int
    n_spans: int
    n_predicted: int
    precision: float
    recall: float
    f1: float
    f1_low: float
    f1_high: float
    per_label: dict[str, LabelScores]
    seqeval_f1: float
    confusion: dict[str, dict[str, int]]
    errors: dict[str, int]
    boundary: dict[str, dict[str, float]]
    ece: float | None = None
    reliability: list[Bin] = field(default_factory=list)

    def headline(self) -> str:
        """One line: F1 in percent with its interval, and on how much it rests."""
        groups = f" of {self.n_groups} documents" if self.n_groups != self.n_records else ""
        return (
            f"F1 {100 * self.f1:.1f} ({100 * self.f1_low:.1f} to {100 * self.f1_high:.1f}) "
            f"on {self.n_records} records{groups} with {self.n_spans} spans"
        )

    def markdown(self) -> str:
        """The per-label table in markdown, figures in percent, the overall row last."""
        rows = [(label, row["precision"], row["recall"], row["f1"], row["support"])
                for label, row in self.per_label.items()]  # fmt: skip
        overall = ("**all**", self.precision, self.recall, self.f1, self.n_spans)
        lines = ["| label | precision | recall | F1 | spans |", "|---|---:|---:|---:|---:|"]
        for label, precision, recall, f1, support in [*rows, overall]:
            name = label.replace("|", "\\|")
            lines.append(f"| {name} | {100 * precision:.1f} | {100 * recall:.1f} | {100 * f1:.1f} | {support} |")
        return "\n".join(lines)
