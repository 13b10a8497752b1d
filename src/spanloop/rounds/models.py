"""The middle steps of a round: a challenger is trained, judged against the champion, and put in service if better."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import copytree, ignore_patterns, rmtree
from typing import TYPE_CHECKING

from spanloop import snapshot as snapshots
from spanloop.config import LoopConfig
from spanloop.records import Example, ScoredSpan
from spanloop.rounds.identity import digest, model_key
from spanloop.rounds.inputs import Snapshotted
from spanloop.rounds.news import judged_before
from spanloop.rounds.progress import telling_training
from spanloop.rounds.work import SCORES, Work, champion_at_start, name_challenger, step
from spanloop.store.jsonl import read_json, write_json

if TYPE_CHECKING:
    from spanloop.training import TrainProgress

Predictions = dict[str, list[ScoredSpan]]
_TRAINED = "trained.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Contest:
    """The models of a round.

    Attributes:
        champion: The version in service when the round began.
        challenger: The version trained in this round; None if none was.
        reason: Why there is no challenger; empty if there is one.
    """

    champion: str | None
    challenger: str | None
    reason: str = ""


@step("train")
def train_challenger(
    work: Work,
    snapshot: Snapshotted,
    progress: "Callable[[TrainProgress], None] | None" = None,
) -> Contest:
    """Train a model on the snapshot, unless it lacks records or such a model was judged in an earlier round.

    A model that is already published is taken as it is; a training that was interrupted goes on from its checkpoint.

    Args:
        work: The round's work.
        snapshot: What to train on.
        progress: Called now and then while training.

    Returns:
        The champion and the challenger.
    """
    champion = champion_at_start(work)
    if snapshot.version is None or not snapshot.ready:
        log.info("train: not yet, %s", snapshot.message)
        return Contest(champion, None, snapshot.message)
    if known := judged_before(work.store, snapshot.version, training_hash(work.config)):
        log.info("train: not again, %s judged a model of %s", known, snapshot.version)
        return Contest(
            champion, None, f"{known} judged a model of {snapshot.version} already; queue brought up to date"
        )
    start = champion if work.config.training.start_from == "champion" else None
    version = _trained(work, snapshot.version, start, telling_training(progress))
    name_challenger(work, version)
    return Contest(champion, version)


def training_hash(config: LoopConfig) -> str:
    """Hash of the settings that decide which model is trained and how it is judged."""
    return digest([model_key("", config, None), config.gate.model_dump()])


def _trained(
    work: Work,
    snapshot: str,
    start: str | None,
    progress: "Callable[[TrainProgress], None]",
) -> str:
    store, config = work.store, work.config
    key = model_key(snapshot, config, start)
    if known := next((name for name in store.names("models") if name.endswith(f"-{key}")), None):
        log.info("train: %s is there already", known)
        return known
    from spanloop.training import train

    out = store.work(f"train-{key}")
    if (result := read_json(out / _TRAINED)) is None:
        init_from = store.path("models", start) if start else None
        made = train(store.path("snapshots", snapshot), config.training, out, init_from=init_from, progress=progress)
        result = asdict(made)
        write_json(out / _TRAINED, result)
    work.note("train", result=result)
    version = store.next_name("models", key)
    store.publish("models", version, lambda folder: _copy_model(out, folder))
    rmtree(out, ignore_errors=True)
    return version


def _copy_model(source: Path, target: Path) -> None:
    """Copy the finished model without its checkpoint."""
    copytree(source, target, dirs_exist_ok=True, ignore=ignore_patterns("checkpoint*", _TRAINED))


@step("evaluate")
def evaluate_models(work: Work, snapshot: Snapshotted, contest: Contest) -> None:
    """Score champion and challenger on the test split of the round's snapshot.

    Args:
        work: The round's work.
        snapshot: Holds the test split.
        contest: The models.
    """
    examples, labels = _test_split(work, snapshot)
    for version in (contest.champion, contest.challenger):
        if version is None or not examples:
            continue
        from spanloop.evaluation import evaluate

        predictions = _predictions(work, version, examples)
        gate = work.config.gate
        figures = evaluate(examples, predictions, labels, seed=gate.seed, samples=gate.samples)
        role = "challenger" if version == contest.challenger else "champion"
        work.note("evaluate", **{role: figures.to_dict()})
        log.info(
            "evaluate: %s %s F1 %.3f [%.3f, %.3f], n %d",
            role,
            version,
            figures.f1,
            figures.f1_low,
            figures.f1_high,
            figures.n_records,
        )


def _test_split(work: Work, snapshot: Snapshotted) -> tuple[Sequence[Example], list[str]]:
    if snapshot.version is None:
        return [], []
    path = work.store.path("snapshots", snapshot.version)
    return snapshots.read_examples(path, "test"), snapshots.read_labels(path)


def _predictions(work: Work, version: str, examples: Sequence[Example]) -> Predictions:
    """The spans a model finds in the test records; kept, so that a model reads the same records once."""
    key = digest([[[e.id, e.text] for e in examples], work.config.scoring.model_dump()])
    path = work.store.work(SCORES) / f"{version}-test-{key}.json"
    if (found := read_json(path)) is None:
        from spanloop.scoring import predict

        made = predict(work.store.path("models", version), examples, work.config.scoring)
        found = {record_id: [asdict(span) for span in spans] for record_id, spans in made.items()}
        write_json(path, found)
    return {record_id: [ScoredSpan(**span) for span in spans] for record_id, spans in found.items()}


@step("gate")
def choose_champion(work: Work, snapshot: Snapshotted, contest: Contest) -> str | None:
    """Put the challenger in service if it is better than the champion on the same test records.

    Args:
        work: The round's work.
        snapshot: Holds the test split.
        contest: The models.

    Returns:
        The version in service from now on; None if there is none yet.
    """
    if contest.challenger is None:
        return contest.champion
    from spanloop.evaluation.gate import decide

    examples, _ = _test_split(work, snapshot)
    before = _predictions(work, contest.champion, examples) if contest.champion else None
    decision = decide(examples, before, _predictions(work, contest.challenger, examples), work.config.gate)
    work.note("gate", **asdict(decision))
    if decision.promote:
        work.store.set_champion(contest.challenger)
    verdict = "goes into service" if decision.promote else "is kept, not put into service"
    log.info("gate: %s %s: %s", contest.challenger, verdict, decision.reason)
    return contest.challenger if decision.promote else contest.champion
