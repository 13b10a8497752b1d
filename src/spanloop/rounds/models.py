"""The middle steps of a round: a challenger is trained, judged against the champion, and put in service if better."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from spanloop import snapshot as snapshots
from spanloop.config import LoopConfig
from spanloop.durable import copy_files, files_below, sync_file
from spanloop.errors import ArtifactDamaged
from spanloop.records import Example, ScoredSpan
from spanloop.rounds.figures import EvaluateFigures, GateFigures, SnapshotFigures, TrainFigures
from spanloop.rounds.identity import digest, model_key
from spanloop.rounds.news import judged_before
from spanloop.rounds.progress import log_training
from spanloop.rounds.relabelling import in_words, relabel, relabellings
from spanloop.rounds.work import SCORES, Work, judged_models, name_challenger, readable_rounds, start_of, step
from spanloop.store import Store
from spanloop.store.contents import NAMES, number_of
from spanloop.store.jsonl import read_cache, read_json, read_records, write_json
from spanloop.training import TrainResult

if TYPE_CHECKING:
    from spanloop.evaluation import Evaluation
    from spanloop.training import TrainProgress

Predictions = dict[str, list[ScoredSpan]]
_PREDICTIONS = TypeAdapter(Predictions)
_RESULT = TypeAdapter(TrainResult)
_TRAINED = "trained.json"

log = logging.getLogger(__name__)


@step("train")
def train_challenger(
    work: Work, snapshot: SnapshotFigures, progress: "Callable[[TrainProgress], None] | None" = None
) -> TrainFigures:
    """Train a model on the snapshot, unless it lacks records or such a model was judged in an earlier round.

    A model that is already published is taken as it is; a training that was interrupted goes on from its checkpoint.

    Args:
        work: The round's work.
        snapshot: What to train on.
        progress: Called now and then while training.

    Returns:
        The champion and the challenger.
    """
    champion = start_of(work).champion
    if snapshot.version is None or not snapshot.ready:
        log.info("train: not yet, %s", snapshot.message)
        return TrainFigures(champion=champion, reason=snapshot.message)
    if known := judged_before(work.store, snapshot.version, training_hash(work.config)):
        log.info("train: not again, %s judged a model of %s", known, snapshot.version)
        reason = f"{known} judged a model of {snapshot.version} already; queue brought up to date"
        return TrainFigures(champion=champion, reason=reason)
    start = champion if work.config.training.start_from == "champion" else None
    version = _trained(work, snapshot.version, start, log_training(progress))
    name_challenger(work, version)
    return TrainFigures(champion=champion, challenger=version, result=_result(work.store, version))


def training_hash(config: LoopConfig) -> str:
    """Hash of the settings that decide which model is trained and how it is judged."""
    return digest([model_key("", config, None), config.gate.model_dump()])


def _trained(work: Work, snapshot: str, start: str | None, progress: "Callable[[TrainProgress], None]") -> str:
    store, config = work.store, work.config
    key = model_key(snapshot, config, start)
    if known := _known(store, key):
        log.info("train: %s is there already", known)
        return known
    from spanloop.training import train

    out = store.work(f"train-{key}")
    if read_cache(out / _TRAINED, _RESULT) is None:
        init_from = store.path("models", start) if start else None
        made = train(store.path("snapshots", snapshot), config.training, out, init_from=init_from, progress=progress)
        for path in files_below(out):  # the mark says that they are whole, after a power cut too
            sync_file(path)
        write_json(out / _TRAINED, asdict(made))
    version = store.next_name("models", key, above=_highest_of_others(work))
    store.publish("models", version, lambda folder: _copy_model(out, folder))
    rmtree(out, ignore_errors=True)
    return version


def _highest_of_others(work: Work) -> int:
    """The highest number of a model that suggested and that no round of this store trained: it is not given again."""
    ours = {past.figures.train.challenger for past in readable_rounds(work.store) if past.figures}
    agents = {record.suggestion.agent for record in read_records(work.records) if record.suggestion}
    return max((number_of(name) for name in agents - ours if NAMES["models"].fullmatch(name)), default=0)


def _known(store: Store, key: str) -> str | None:
    """The published model of this key; one that is damaged is set aside, to be made again."""
    known = next((name for name in store.names("models") if name.endswith(f"-{key}")), None)
    if known is None:
        return None
    try:
        store.verify("models", known)
    except ArtifactDamaged as error:
        log.warning("train: %s; it lies in %s now and is trained again", error, store.set_aside("models", known))
        return None
    return known


def _copy_model(source: Path, target: Path) -> None:
    """Copy the finished model without its checkpoint, and what a crash left of files half written."""
    copy_files(source, target, "checkpoint*", _TRAINED, ".*")


def _result(store: Store, version: str) -> TrainResult:
    """What training said, as the model's folder has it: an earlier attempt may have trained it."""
    return _RESULT.validate_python(read_json(store.path("models", version) / "training.json")["result"])


@step("evaluate")
def evaluate_models(work: Work, snapshot: SnapshotFigures, trained: TrainFigures) -> EvaluateFigures:
    """Score champion and challenger on the test split of the round's snapshot.

    Args:
        work: The round's work.
        snapshot: Holds the test split.
        trained: The models.

    Returns:
        The scores of each.
    """
    examples, labels = test_split(work, snapshot)
    if not examples:
        return EvaluateFigures()
    before = trained.champion if trained.champion != trained.challenger else None
    read = _read_by(work, before, examples) if before else {}
    relabelled = relabellings((span.label for spans in read.values() for span in spans), work.config.task)
    if relabelled:
        log.warning("evaluate: labels of %s that the project does not have: %s", before, in_words(relabelled))
    return EvaluateFigures(
        champion=_evaluated(work, "champion", before, examples, labels),
        challenger=_evaluated(work, "challenger", trained.challenger, examples, labels),
        relabelled=relabelled,
    )


def _evaluated(
    work: Work, role: str, version: str | None, examples: Sequence[Example], labels: list[str]
) -> "Evaluation | None":
    if version is None:
        return None
    from spanloop.evaluation import evaluate

    gate = work.config.gate
    found = evaluate(examples, predictions_of(work, version, examples), labels, seed=gate.seed, samples=gate.samples)
    log.info("evaluate: %s %s %s", role, version, found.headline())
    return found


def test_split(work: Work, snapshot: SnapshotFigures) -> tuple[Sequence[Example], list[str]]:
    """The test records of the round's snapshot, and the labels; none without a snapshot."""
    if snapshot.version is None:
        return [], []
    path = work.store.path("snapshots", snapshot.version)
    return snapshots.read_examples(path, "test"), snapshots.read_labels(path)


def predictions_of(work: Work, version: str, examples: Sequence[Example]) -> Predictions:
    """The spans a model finds in records, under the labels that the project has."""
    found = _read_by(work, version, examples)
    return {record_id: list(relabel(spans, work.config.task)) for record_id, spans in found.items()}


def _read_by(work: Work, version: str, examples: Sequence[Example]) -> Predictions:
    """The spans a model finds in records; kept by id and text, so that a model reads the same record once."""
    path = work.store.work(SCORES) / f"{version}-test-{digest(work.config.scoring.model_dump())}.json"
    kept = read_cache(path, _PREDICTIONS) or {}
    keys = {e.id: digest([e.id, e.text], 16) for e in examples}
    if unread := [e for e in examples if keys[e.id] not in kept]:
        from spanloop.scoring import predict

        made = predict(work.store.path("models", version), unread, work.config.scoring)
        kept |= {keys[record_id]: spans for record_id, spans in made.items()}
        write_json(path, _PREDICTIONS.dump_python(kept, mode="json"))
    return {record_id: kept[key] for record_id, key in keys.items()}


@step("gate")
def choose_champion(work: Work, snapshot: SnapshotFigures, trained: TrainFigures) -> GateFigures:
    """Put the challenger in service if it is better than the champion on the same test records.

    Args:
        work: The round's work.
        snapshot: Holds the test split.
        trained: The models.

    Returns:
        Who serves from now on, and why.
    """
    examples, _ = test_split(work, snapshot)
    if trained.challenger is None:
        flattery = _optimism(work, trained, trained.champion, examples)
        return GateFigures(champion=trained.champion, optimism=flattery)
    from spanloop.evaluation.gate import decide

    before = predictions_of(work, trained.champion, examples) if trained.champion else None
    decision = decide(examples, before, predictions_of(work, trained.challenger, examples), work.config.gate)
    if decision.promote and trained.challenger in work.store.vetoed():
        reason = f"somebody took {trained.challenger} out of service, no round puts it back: {decision.reason}"
        decision = replace(decision, promote=False, reason=reason)
    if decision.promote:
        work.store.set_champion(trained.challenger)
    verdict = "goes into service" if decision.promote else "is kept, not put into service"
    log.info("gate: %s %s: %s", trained.challenger, verdict, decision.reason)
    champion = trained.challenger if decision.promote else trained.champion
    flattery = _optimism(work, trained, champion, examples)
    return GateFigures(champion=champion, decision=decision, optimism=flattery)


def _optimism(work: Work, trained: TrainFigures, champion: str | None, examples: Sequence[Example]) -> float:
    """By how much the F1 of the model in service is too high because the same test records chose it."""
    if champion is None or not examples:
        return 0.0
    from spanloop.evaluation.optimism import optimism

    judged = [*judged_models(work.store), *([trained.challenger] if trained.challenger else [])]
    if trained.champion and trained.champion not in judged:
        judged.insert(0, trained.champion)
    spans = [predictions_of(work, version, examples) for version in judged]
    found = optimism(examples, spans, judged.index(champion), work.config.gate)
    log.info("gate: choosing among %d models on the same records flatters F1 by %.1f", len(judged), 100 * found)
    return found
