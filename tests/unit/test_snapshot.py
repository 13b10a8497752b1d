"""Snapshots: content-addressed, complete, and refused where no data set can be made."""

import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import datasets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from texts import texts_with_disjoint_spans

from spanloop.annotations.agreement import AgreementReport
from spanloop.config import SplitConfig
from spanloop.errors import DataError, LabelError, SpanloopError, StoreError
from spanloop.records import SPLITS, Annotation, Example, Span
from spanloop.snapshot import build, current, load_snapshot, read_examples, read_labels
from spanloop.snapshot.changes import digest_annotations
from spanloop.snapshot.versions import version_hash
from spanloop.spans import LostSpan
from spanloop.store import Store

TEXT = "Ada met Bob in Rome."
SPANS = (Span(0, 3, "PER"), Span(8, 11, "PER"), Span(15, 19, "LOC"))


def annotation(record_id: str, spans: tuple[Span, ...] = SPANS, text: str = TEXT, **fields: object) -> Annotation:
    made = Annotation(record_id, text, f"document of {record_id}", spans, ("ann",), None)
    return replace(made, **fields)


def annotations(n: int) -> list[Annotation]:
    return [annotation(f"r{i:03d}", text=f"{TEXT} {i}") for i in range(n)]


def version_of(rows: list[Annotation], labels: list[str], splits: SplitConfig) -> str:
    return version_hash(digest_annotations(rows), labels, splits)


def scheme(labels: tuple[str, ...] = ("PER", "LOC"), **splits: float) -> tuple[tuple[str, ...], SplitConfig]:
    """Labels and splits, as `build` takes them."""
    return labels, SplitConfig.model_validate(splits)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def tree(store: Store) -> set[str]:
    return {str(path) for path in store.root.rglob("*") if "locks" not in path.parts}


def test_the_columns(store: Store) -> None:
    info = build(store, [annotation("r1", agreement=0.5, annotators=("ann", "bob"))], *scheme(validation=0, test=0))
    data = load_snapshot(store, info.version)
    assert list(data) == list(SPLITS)
    assert data["train"][0] == {
        "id": "r1",
        "text": TEXT,
        "tokens": ["Ada", "met", "Bob", "in", "Rome", "."],
        "ner_tags": [1, 0, 1, 0, 3, 0],
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in SPANS],
        "group": "document of r1",
        "annotators": ["ann", "bob"],
        "agreement": 0.5,
    }
    assert data["train"].features["ner_tags"].feature.names == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    assert data["test"].features == data["train"].features
    assert [data[split].num_rows for split in SPLITS] == [1, 0, 0]


def test_datasets_reads_the_folder_without_spanloop(store: Store) -> None:
    path = build(store, annotations(20), *scheme()).path
    assert sum(datasets.load_from_disk(str(path)).num_rows.values()) == 20


def test_splits_are_those_of_the_groups(store: Store) -> None:
    rows, splits = annotations(60), SplitConfig(validation=0.3, test=0.3)
    info = build(store, rows, *scheme(validation=0.3, test=0.3))
    for split in SPLITS:
        expected = [Example(a.record_id, a.text, a.spans, a.group) for a in rows if splits.split_of(a.group) == split]
        assert read_examples(info.path, split) == expected
        assert info.counts[split] == len(expected)
        assert store.manifest("snapshots", info.version)["spans"][split] == {
            "PER": 2 * len(expected),
            "LOC": len(expected),
        }
    assert read_labels(info.path) == ["PER", "LOC"]


def test_the_same_content_is_the_same_version_whoever_annotated_it(store: Store) -> None:
    first = build(store, annotations(10), *scheme())
    before = tree(store)
    shuffled = [replace(a, annotators=("someone else",), agreement=1.0) for a in annotations(10)]
    random.Random(1).shuffle(shuffled)
    again = build(store, shuffled, *scheme())
    assert (first.new, again.new) == (True, False)
    assert again.version == first.version == current(store)
    assert (again.added, again.changed, again.removed) == (0, 0, 0)
    assert again.counts == first.counts
    assert tree(store) == before


def test_the_hash_is_the_same_on_every_machine() -> None:
    """A change here makes every loop that runs today publish and train anew."""
    assert version_of([annotation("r1"), annotation("r2", ())], ["PER", "LOC"], SplitConfig()) == "ba5edf60"


@pytest.mark.parametrize(
    "other",
    [
        annotation("r2"),
        annotation("r1", text=TEXT.replace("Ada", "Eve")),
        annotation("r1", SPANS[:2]),
        annotation("r1", (*SPANS[:2], Span(15, 19, "PER"))),
        annotation("r1", group="another document"),
    ],
)
def test_any_change_of_content_is_another_version(other: Annotation) -> None:
    labels, splits = ["PER", "LOC"], SplitConfig()
    assert version_of([other], labels, splits) != version_of([annotation("r1")], labels, splits)


def test_label_scheme_and_split_are_content() -> None:
    rows = [annotation("r1")]
    hashes = {
        version_of(rows, ["PER", "LOC"], SplitConfig()),
        version_of(rows, ["LOC", "PER"], SplitConfig()),
        version_of(rows, ["PER", "LOC", "ORG"], SplitConfig()),
        version_of(rows, ["PER", "LOC"], SplitConfig(seed=1)),
        version_of(rows, ["PER", "LOC"], SplitConfig(test=0.2)),
    }
    assert len(hashes) == 5


def test_what_changed_since_the_parent(store: Store) -> None:
    first = build(store, annotations(6), *scheme())
    rows = annotations(8)[1:]
    rows[0] = replace(rows[0], spans=())
    second = build(store, rows, *scheme())
    assert (second.added, second.changed, second.removed) == (2, 1, 1)
    manifest = store.manifest("snapshots", second.version)
    assert manifest["parent"] == first.version
    assert manifest["changes"] == {"added": 2, "changed": 1, "removed": 1}
    changes = json.loads((second.path / "changes.json").read_text())
    assert changes == {"added": ["r006", "r007"], "changed": ["r001"], "removed": ["r000"]}
    assert [first.version[:5], second.version[:5]] == ["v0001", "v0002"]


def test_going_back_to_older_content_is_a_new_snapshot_with_the_old_hash(store: Store) -> None:
    versions = [build(store, annotations(n), *scheme()).version for n in (3, 4, 3)]
    assert versions[0][6:] == versions[2][6:]
    assert current(store) == versions[2]
    assert versions[2].startswith("v0003-")


def test_the_manifest_and_the_card_tell_the_figures(store: Store) -> None:
    lost = LostSpan("r000", Span(0, 7, "PER"), "overlap")
    moved = LostSpan("r001", Span(15, 20, "LOC"), "boundary")
    report = AgreementReport(2, 2, 0.75, {"PER": 0.5, "LOC": None}, [("r001", 0.5)])
    rows = [*annotations(30), annotation("r900", (Span(0, 2, "PER"),))]
    info = build(store, rows, *scheme(), report, lost=[lost], moved=[moved])
    manifest = store.manifest("snapshots", info.version)
    assert info.lost == (lost,)
    assert manifest["lost"] == [
        {"record_id": "r000", "span": {"start": 0, "end": 7, "label": "PER"}, "reason": "overlap"}
    ]
    assert manifest["moved"][0]["record_id"] == "r001"
    assert manifest["refined"] == ["r900"]
    assert manifest["agreement"]["pairwise_f1"] == 0.75
    assert sum(manifest["records"].values()) == 31
    readme = (info.path / "README.md").read_text()
    assert f"| records | {' | '.join(str(info.counts[split]) for split in SPLITS)} |" in readme
    assert "31 records with 91 spans, by 1 annotator" in readme
    assert "pairwise exact-span F1 0.750" in readme
    assert "| `LOC` | undefined |" in readme
    assert "1 dropped, 1 with white space trimmed; in 1 records words were cut" in readme


def test_overlapping_spans_are_kept_beside_the_tags_of_the_longest(store: Store) -> None:
    whole, name, place = Span(0, 19, "LOC"), Span(0, 3, "PER"), Span(21, 25, "LOC")
    row = annotation("r1", (name, whole, place), TEXT[:-1] + " (Rome).")
    info = build(store, [row, annotation("r2")], *scheme(validation=0, test=0))
    tags = load_snapshot(store, info.version)["train"][0]["ner_tags"]
    assert tags == [3, 4, 4, 4, 4, 0, 3, 0, 0]
    assert read_examples(info.path, "train")[0].spans == (name, whole, place)
    manifest = json.loads((info.path / "manifest.json").read_text())
    assert manifest["overlapping"] == ["r1"]
    assert manifest["lost"] == []
    assert "in 1 records spans overlap" in (info.path / "README.md").read_text()


def test_the_hub_reads_the_card(store: Store) -> None:
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(build(store, annotations(3), *scheme()).path / "README.md")
    assert card.data.task_categories == ["token-classification"]
    assert card.data.size_categories == ["n<1K"]


def test_a_span_inside_a_word_is_in_the_tags_too(store: Store) -> None:
    info = build(store, [annotation("r1", (Span(0, 2, "PER"), Span(2, 3, "LOC")))], *scheme(validation=0, test=0))
    row = load_snapshot(store, info.version)["train"][0]
    assert row["tokens"][:3] == ["Ad", "a", "met"]
    assert row["ner_tags"][:3] == [1, 3, 0]
    assert info.lost == ()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts_with_disjoint_spans().filter(lambda case: case[0].strip()), max_size=3))
def test_any_text_and_spans_come_back(store: Store, cases: list[tuple[str, list[Span]]]) -> None:
    rows = []
    for i, (text, spans) in enumerate(cases):
        storable = text.encode("utf-8", "replace").decode()  # a lone surrogate is refused: see below
        rows.append(annotation(f"r{i}", tuple(spans), storable))
    info = build(store, rows, *scheme(validation=0, test=0))
    assert [(e.id, e.text, e.spans) for e in read_examples(info.path, "train")] == [
        (row.record_id, row.text, row.spans) for row in rows
    ]
    assert info.lost == ()


@pytest.mark.parametrize(
    ("rows", "labels", "error", "told"),
    [
        ([annotation("r1")], (), LabelError, "no labels are configured; list them under task.labels"),
        (
            [annotation("r1")],
            ("PER",),
            LabelError,
            "record 'r1' carries the label 'LOC', which is none of PER; say in task.mapping",
        ),
        ([annotation("r1")], ("PER", "LOCATION"), LabelError, r"'LOC', .* \(was it renamed to 'LOCATION'\?\)"),
        ([annotation("r1", (), "")], ("PER",), DataError, "record 'r1' has no text; delete it in Argilla"),
        ([annotation("r1", (), " \n ")], ("PER",), DataError, "record 'r1' has no text"),
        ([annotation("r1", (), "a\ud83d")], ("PER",), DataError, "record 'r1' has half a character .* at 1"),
        ([annotation("r1"), annotation("r1")], ("PER", "LOC"), DataError, "record 'r1' stands twice"),
        ([annotation("r1", (Span(0, 99, "PER"),))], ("PER",), DataError, "record 'r1': span 0-99 'PER'"),
        ([annotation("r1", (Span(4, 4, "PER"),))], ("PER",), DataError, "span 4-4 'PER' is empty"),
        ([annotation("r1", (Span(0, 4, "PER"), Span(3, 6, "PER")))], ("PER",), DataError, "span 3-6 'PER' .* overlaps"),
    ],
)
def test_bad_content_is_one_line_and_changes_nothing(
    store: Store, rows: list[Annotation], labels: tuple[str, ...], error: type[SpanloopError], told: str
) -> None:
    build(store, annotations(3), *scheme())
    before = tree(store)
    with pytest.raises(error, match=told) as raised:
        build(store, rows, *scheme(labels))
    assert "\n" not in str(raised.value)
    assert tree(store) == before


def test_a_record_without_spans_is_a_real_negative(store: Store) -> None:
    info = build(store, [annotation("r1", ())], *scheme(validation=0, test=0))
    assert read_examples(info.path, "train") == [Example("r1", TEXT, (), "document of r1")]
    assert load_snapshot(store, info.version)["train"][0]["ner_tags"] == [0] * 6


def test_a_corrupt_snapshot_is_named(store: Store) -> None:
    info = build(store, annotations(5), *scheme(validation=0, test=0))
    arrow = next((info.path / "train").glob("*.arrow"))
    content = bytearray(arrow.read_bytes())
    content[content.index(b"Rome")] ^= 1
    arrow.write_bytes(content)
    for read in (lambda: read_examples(info.path, "train"), lambda: load_snapshot(store, info.version)):
        with pytest.raises(StoreError, match=r"data-00000-of-00001.arrow is corrupt") as error:
            read()
        assert f"remove {info.path}" in str(error.value)
    with pytest.raises(StoreError, match="holds no split"):
        read_examples(store.publish("models", "m1", lambda folder: None), "train")


def test_load_takes_the_folder_of_a_store(store: Store) -> None:
    info = build(store, annotations(5), *scheme())
    assert load_snapshot(store.root, info.version).num_rows == load_snapshot(store, info.version).num_rows
    with pytest.raises(StoreError, match=r"has no snapshot 'v0009-00000000'; there are: v0001-"):
        load_snapshot(store, "v0009-00000000")


def test_progress_bars_stay_as_the_caller_had_them(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    build(store, annotations(5), *scheme())
    assert not datasets.are_progress_bars_disabled()
    assert capfd.readouterr().err == ""


def test_versions_need_neither_datasets_nor_torch(store: Store) -> None:
    """So that a round with nothing new ends in a moment."""
    code = (
        "import sys\nfrom spanloop.snapshot import current\n"
        "from spanloop.annotations.resolve import resolve\n"
        f"from spanloop.store import Store\nprint(current(Store({str(store.root)!r})))\n"
        "print(sorted({'torch', 'datasets', 'pyarrow', 'prefect', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n[]\n"
