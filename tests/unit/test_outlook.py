"""The look ahead of a round: real snapshots, real tiny models, no servers."""

import json
import shutil
from datetime import UTC, datetime, timedelta

import pytest
from rounds import a_round
from sentences import sentences
from tiny_models import save_tiny_encoder

from spanloop import snapshot as snapshots
from spanloop.config import LoopConfig
from spanloop.records import Annotation, Record, Response
from spanloop.rounds.figures import PullFigures, SnapshotFigures
from spanloop.rounds.lineage import lineage
from spanloop.rounds.outlook import look_ahead
from spanloop.rounds.work import Work, discard
from spanloop.store import Store
from spanloop.store.jsonl import write_json, write_records
from spanloop.training import train

LABELS = ("person", "place")
POOL = sentences(300)
PULLED = PullFigures(labels=LABELS, records=300, submitted=160, pending=140, queue_link="http://q")


def annotate(store, config, count):
    """Publish the first `count` sentences as a snapshot, a model of it, and the round that judged the model."""
    found = [Annotation(s.id, s.text, s.id, s.spans or (), ("anna",), None) for s in POOL[:count]]
    info = snapshots.build(store, found, LABELS, config.splits)
    model = store.next_name("models", f"{count:08x}")
    store.publish("models", model, lambda folder: train(info.path, config.training, folder) and None)
    done = a_round(store.next_name("rounds"), train={"challenger": model}, annotations={"annotated": count})
    store.publish("rounds", done.round, lambda f: write_json(f / "round.json", done.model_dump(mode="json")) and None)
    return SnapshotFigures(version=info.version, ready=True, message="", counts=info.counts)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A store after rounds with 80, 120 and 160 annotated records."""
    root = tmp_path_factory.mktemp("grown")
    training = {"model_name_or_path": str(save_tiny_encoder(root / "encoder")), "learning_rate": 3e-3}
    training |= {"num_train_epochs": 4, "min_steps": 10, "max_length": 64, "stride": 16, "folds": 0}
    config = LoopConfig.model_validate(
        {"store": str(root / "store"), "training": training, "splits": {"validation": 0.1, "test": 0.3}}
    )
    snapshot = [annotate(Store(config.store), config, count) for count in (80, 120, 160)][-1]
    return config, snapshot


def records():
    """The pool; one person answered the first 160, a record every half minute."""
    for i, s in enumerate(POOL):
        at = (datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=30 * i)).isoformat()
        responses = (Response("anna", "submitted", s.spans or (), at),) if i < 160 else ()
        yield Record(s.id, s.text, s.id, responses=responses)


@pytest.fixture
def work(grown, tmp_path):
    """The work of the next round, in a copy of that store."""
    config, _ = grown
    shutil.copytree(config.store, tmp_path / "store")
    config = config.model_copy(update={"store": str(tmp_path / "store")})
    store = Store(config.store)
    name = store.next_name("rounds")
    work = Work(name, store.work(name), config)
    write_records(work.records, records())
    return work


def test_past_models_are_rescored_on_todays_test_split(grown, work):
    found = look_ahead(work, PULLED, grown[1])
    test = grown[1].counts["test"]
    trained = [model.records for model in found.models]
    assert trained == sorted(trained)
    assert trained[-1] == 160 - test
    assert [model.words for model in found.models] == sorted(model.words or 0 for model in found.models)
    assert found.models[-1].words == sum(
        len(tokens)
        for split in ("train", "validation")
        for tokens in snapshots.load_snapshot(work.store, grown[1].version or "")[split]["tokens"]
    )


def test_what_the_next_batch_brings_and_costs(grown, work):
    found = look_ahead(work, PULLED, grown[1])
    assert found.missing == ""
    assert found.next_batch
    assert found.doubled
    assert found.next_batch.records == 40  # as between the rounds
    assert found.doubled.records == 160
    assert found.next_batch.gain
    assert found.next_batch.gain.low < found.next_batch.gain.high
    assert found.effort.record_seconds == 30.0
    assert [point.annotated for point in found.curve] == sorted(point.annotated for point in found.curve)
    assert found.curve[-1].annotated == 320


def test_models_are_compared_on_texts_that_none_learnt_from(grown, work):
    found = look_ahead(work, PULLED, grown[1])
    assert found.stability
    assert found.stability.texts == sum(work.config.splits.split_of(s.id) == "test" for s in POOL)
    assert len(found.stability.kappas) == 2


def test_no_text_is_read_twice_by_a_model(grown, work, monkeypatch):
    first = look_ahead(work, PULLED, grown[1])
    monkeypatch.setattr("spanloop.scoring.predict", None)
    again = look_ahead(work, PULLED, grown[1])
    assert again.model_copy(update={"seconds": first.seconds}) == first


def test_scores_of_models_on_the_curve_stay(grown, work):
    look_ahead(work, PULLED, grown[1])
    discard(work)
    kept = {path.name.partition("-test-")[0] for path in work.store.work("scores").iterdir()}
    assert kept == {model.version for model in lineage(work.store)}


def test_a_damaged_model_is_left_out_and_stops_nothing(grown, work, caplog):
    version = lineage(work.store)[0].version
    (work.store.path("models", version) / "model.safetensors").write_bytes(b"half")
    found = look_ahead(work, PULLED, grown[1])
    assert [model.model for model in found.models] == [model.version for model in lineage(work.store)[1:]]
    assert found.missing == "a forecast needs 3 models, each with more labels than the last, and there are 2"
    assert f"outlook: {version} is left out" in caplog.text


def test_without_a_snapshot_only_the_cost_is_known(work):
    found = look_ahead(work, PULLED, SnapshotFigures(version=None, ready=False, message=""))
    assert (found.models, found.curve, found.doubled, found.stability) == ((), (), None, None)
    assert found.missing == "a forecast needs 3 models, each with more labels than the last, and there is none"
    assert found.effort.records == 159


def test_no_more_records_are_promised_than_are_left(grown, work):
    found = look_ahead(work, PULLED.model_copy(update={"pending": 7}), grown[1])
    assert found.next_batch
    assert found.next_batch.records == 7


def publish_model(store, records, **changed):
    """A model folder with what a lineage reads of it."""
    about = {"labels": changed.pop("labels", ["person"]), "snapshot": "v0001-aaaaaaaa"}
    config = {"num_train_epochs": 3, "seed": 0, **changed}

    def write(folder):
        (folder / "spanloop.json").write_text(json.dumps(about))
        (folder / "training.json").write_text(json.dumps({"config": config, "records": records}))

    store.publish("models", store.next_name("models", f"{records:08x}"), write)


def test_models_of_other_settings_or_labels_stand_on_another_curve(tmp_path):
    store = Store(tmp_path)
    publish_model(store, 100, num_train_epochs=9)
    publish_model(store, 110, labels=["person", "place"])
    publish_model(store, 120, seed=5)  # luck of another kind, the same curve
    store.publish("models", "m0009-aaaaaaaa", lambda folder: (folder / "training.json").write_text("{half") and None)
    publish_model(store, 130)
    assert [model.records for model in lineage(store)] == [120, 130]
    assert lineage(Store(tmp_path / "empty")) == []


def test_a_long_loops_curve_reaches_back_and_keeps_its_models(tmp_path):
    store, before = Store(tmp_path), set()
    for records in range(100, 2000, 50):
        publish_model(store, records)
        chosen = {model.records for model in lineage(store)}
        assert chosen - before <= {records}  # whose predictions are kept
        before = chosen
    assert len(before) == 8
    assert min(before) < 1000
    assert {1800, 1850, 1900, 1950} <= before
