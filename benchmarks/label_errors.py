"""Which labels are wrong: `python -m benchmarks.label_errors [--quick] --work FOLDER --out FILE.json`.

Records of a corpus are annotated by the simulated annotator, who overlooks, cuts or mislabels a share of the spans
(`--rates`). A record counts as wrong if its spans are not exactly the corpus's. Models are cross-fitted on these
annotations as in a round, and records are ranked by what they say:

- suspicion: as `spanloop review` ranks;
- probability: that some marked span is wrong or some found one is missing, by the spans' calibrated scores alone;
- cleanlab: the least out-of-fold probability of a word's own tag (Wang and Mueller 2022, "Detecting label errors in
  token classification data", https://arxiv.org/abs/2210.03920: `self_confidence` and `min`, the defaults of cleanlab's
  `token_classification.rank`), worked out here; cleanlab itself is not needed;
- random: the share of wrong records, and of any tenth of them a tenth.

Figures are precision in the top 5 % of records and recall in the top 10 %, beside the most that any ranking can reach.
A run that was stopped goes on from `--work`.
"""

import json
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from math import prod
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from benchmarks.corpora import NAMES, data_folder, read_corpus
from benchmarks.options import add_data, make_parser
from benchmarks.report import table, write_report
from spanloop.config import TrainingConfig
from spanloop.errors import DataError
from spanloop.evaluation.label_errors import find_suspects
from spanloop.model.ragged import log_softmax
from spanloop.records import Evidence, Example, ScoredSpan
from spanloop.rehearsal.mistakes import with_mistakes
from spanloop.training.evidence import evidence_of
from spanloop.training.job import Job, cross_fit
from spanloop.training.out_of_fold import OutOfFold

RANKINGS = ("suspicion", "probability", "cleanlab", "random")
_BOUNDS = (0.02, 0.05, 0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True)
class Case:
    """One set of annotations.

    Attributes:
        corpus: Where the records come from.
        rate: Share of the spans that are annotated wrongly.
        seed: Of records, mistakes and training.
        records: How many.
        model: The encoder.
        data: The folder of the corpora.
        work: Where trainings and results are kept.
    """

    corpus: str
    rate: float
    seed: int
    records: int
    model: str
    data: Path
    work: Path

    @property
    def name(self) -> str:
        """Tells it from others in `work`."""
        return f"{self.corpus}-{self.records}-{self.rate:g}-{self.seed}"


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("label_errors", __doc__, "wnut17, 200 records, one rate, one seed")
    add_data(parser)
    parser.add_argument("--model", default="", help="encoder; default: the one that comes as a package")
    parser.add_argument("--corpora", nargs="+", default=list(NAMES))
    parser.add_argument("--rates", nargs="+", type=float, default=[0.05, 0.10], help="share of the spans that is wrong")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--records", type=int, default=400, help="annotated records")
    parser.add_argument("--processes", type=int, default=1, help="trainings side by side")
    parser.add_argument("--work", type=Path, required=True, help="folder of what is done already")
    options = parser.parse_args()
    if options.quick:
        options.corpora, options.rates, options.seeds, options.records = ["wnut17"], [0.10], [0], 200
    results: dict[str, dict[str, Any]] = {}
    for case, found in _run(list(_cases(options)), options.processes):
        results[case.name] = {"corpus": case.corpus, "rate": case.rate, "seed": case.seed, **found}
        print(case.name, _shown(found), flush=True)
        write_report(options.out, {"records": options.records, "cases": dict(sorted(results.items()))})
    print(table(["corpus", "rate", "wrong", *_HEADER], list(_rows(results))))


def _cases(options: Namespace) -> Iterator[Case]:
    """Seed by seed, so that what is done when time is up is a whole table; long texts first, which take longest."""
    model, data = options.model or _packed_encoder(), data_folder(options.data)
    for seed in options.seeds:
        for corpus in sorted(options.corpora, key=lambda name: name != "tfh_patents"):
            for rate in options.rates:
                yield Case(corpus, rate, seed, options.records, model, data, options.work)


def _packed_encoder() -> str:
    from benchmarks.recipes import packed_encoder  # needs more packages than are everywhere

    return packed_encoder()


def _run(cases: list[Case], processes: int) -> Iterator[tuple[Case, dict[str, Any]]]:
    if processes == 1:
        yield from ((case, figures_of(case)) for case in cases)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(figures_of, case): case for case in cases}
        for done in as_completed(waiting):
            yield waiting[done], done.result()


def figures_of(case: Case) -> dict[str, Any]:
    """Precision and recall of each ranking; from `work` if the case is done."""
    out = case.work / f"{case.name}.json"
    if out.is_file():
        return dict(json.loads(out.read_text(encoding="utf-8")))
    corpus = read_corpus(case.data, case.corpus)
    gold = corpus.sample(case.records, case.seed)
    given = [_annotated(example, corpus.labels, case) for example in gold]
    config = TrainingConfig(model_name_or_path=case.model, seed=case.seed)
    unseen = cross_fit(Job(given, corpus.labels, config, case.work / case.name))
    if unseen is None:
        raise DataError(f"{case.name}: too few records for folds; give more --records")
    wrong = {e.id for e, truth in zip(given, gold, strict=True) if set(e.spans) != set(truth.spans)}
    found = _judge(unseen, wrong)
    out.write_text(json.dumps(found), encoding="utf-8")
    return found


def _annotated(example: Example, labels: list[str], case: Case) -> Example:
    random = Random(f"{case.seed}/{example.id}")
    return Example(example.id, example.text, with_mistakes(example.spans, example.text, labels, case.rate, random))


def _judge(unseen: OutOfFold, wrong: set[str]) -> dict[str, Any]:
    confidence = unseen.confidence()
    evidence = evidence_of(unseen, confidence.scale)
    suspect = {x.record_id: x.suspicion for x in find_suspects(evidence)}
    values = {
        "suspicion": [suspect.get(e.record_id, 0.0) for e in evidence],
        "probability": [_by_probability(e) for e in evidence],
        "cleanlab": _by_tokens(unseen),
    }
    y = np.array([e.record_id in wrong for e in evidence])
    top, n_wrong = _top(y, 0.10), int(y.sum())
    found: dict[str, Any] = {name: _figures(np.array(value), y) for name, value in values.items()}
    found["random"] = {"precision": n_wrong / len(y), "recall": top / len(y)}
    found["most"] = {"precision": min(1.0, n_wrong / _top(y, 0.05)), "recall": min(1.0, top / max(1, n_wrong))}
    return {
        "n": len(y),
        "wrong": n_wrong,
        "f1": confidence.f1,
        "reliability": _reliability(values["suspicion"], y),
        **found,
    }


def _reliability(suspicions: list[float], wrong: np.ndarray) -> list[list[float]]:
    """Records, mean suspicion and share of wrong ones, by suspicion."""
    binned = np.digitize(suspicions, _BOUNDS)
    chosen = [binned == i for i in range(len(_BOUNDS) + 1)]
    return [[int(c.sum()), float(np.array(suspicions)[c].mean()), float(wrong[c].mean())] for c in chosen if c.any()]


def _by_probability(evidence: Evidence) -> float:
    """1 less the probability that every marked span is right, and every other found one is not."""
    marked = {span.span for span in evidence.marked}
    missing: list[ScoredSpan] = [span for span in evidence.found if span.span not in marked]
    return 1 - prod(span.score for span in evidence.marked) * prod(1 - span.score for span in missing)


def _by_tokens(unseen: OutOfFold) -> list[float]:
    tags, bounds = unseen.targets.word_tags, unseen.targets.encoded.text_words
    own = np.ones(len(tags))
    words = unseen.targets.words_of(unseen.texts)
    own[words] = np.exp(log_softmax(unseen.logits))[np.arange(len(words)), tags[words]]
    return [1 - float(own[bounds[text] : bounds[text + 1]].min(initial=1.0)) for text in unseen.texts.tolist()]


def _figures(values: np.ndarray, wrong: np.ndarray) -> dict[str, float]:
    """Precision in the top 5 % of records, recall in the top 10 %; equal values in the order of the records."""
    ranked = wrong[np.argsort(-values, kind="stable")]
    recall = ranked[: _top(wrong, 0.10)].sum() / max(1, wrong.sum())
    return {"precision": float(ranked[: _top(wrong, 0.05)].mean()), "recall": float(recall)}


def _top(wrong: np.ndarray, share: float) -> int:
    return max(1, round(share * len(wrong)))


_HEADER = [*(f"{name} {what}" for what in ("p@5 %", "r@10 %") for name in (*RANKINGS, "most"))]


def _shown(found: dict[str, Any]) -> str:
    parts = (f"{name} {found[name]['precision']:.2f}/{found[name]['recall']:.2f}" for name in (*RANKINGS, "most"))
    return f"{found['wrong']} of {found['n']} wrong: {', '.join(parts)}"


def _rows(results: dict[str, dict[str, Any]]) -> Iterator[list[object]]:
    """Means over the seeds, in percent."""
    for corpus, rate in sorted({(found["corpus"], found["rate"]) for found in results.values()}):
        here = [x for x in results.values() if (x["corpus"], x["rate"]) == (corpus, rate)]
        cells = (
            f"{100 * np.mean([x[name][what] for x in here]):.0f}"
            for what in ("precision", "recall")
            for name in (*RANKINGS, "most")
        )
        yield [corpus, f"{rate:g}", f"{sum(x['wrong'] for x in here)} of {sum(x['n'] for x in here)}", *cells]


if __name__ == "__main__":
    main()
