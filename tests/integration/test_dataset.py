"""The dataset that spanloop makes in the real Argilla, and what it does with those that are there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import argilla as rg
import pytest

from spanloop.argilla import ArgillaClient, DatasetRef, ensure_dataset, find_dataset
from spanloop.cli.imports import import_file
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError, ConfigError, LabelError
from spanloop.importing import Imported
from spanloop.importing.upload import import_records
from spanloop.local_argilla.process import Running

THEIRS = {"id", "dataset_id", "name", "inserted_at", "updated_at", "last_activity_at"}  # differs between any two


def bare(value: Any, *, named: bool = False) -> Any:
    """Without what differs between any two datasets; the names of their parts stay."""
    if isinstance(value, dict):
        drop = THEIRS - {"name"} if named else THEIRS
        return {key: bare(x, named=True) for key, x in value.items() if key not in drop}
    return [bare(x, named=True) for x in value] if isinstance(value, list) else value


def made_by_hand(sdk: rg.Argilla, name: str) -> rg.Dataset:
    """The dataset, as somebody makes it who has only Argilla's documentation."""
    settings = rg.Settings(
        guidelines="Mark **people** and places.",
        fields=[rg.TextField(name="text", title="Text")],
        questions=[
            rg.SpanQuestion(
                name="entities",
                title="Entities",
                field="text",
                labels=["place", "person", "event", "art"],
                allow_overlapping=True,
            )
        ],
        metadata=[
            rg.TermsMetadataProperty(name="group", title="Document"),
            rg.FloatMetadataProperty(name="priority", title="Priority"),
            rg.FloatMetadataProperty(name="suspicion", title="Suspicion"),
            rg.TermsMetadataProperty(name="split", title="Split", visible_for_annotators=False),
            rg.FloatMetadataProperty(name="uncertainty", title="Uncertainty", visible_for_annotators=False),
            rg.TermsMetadataProperty(name="model_version", title="Model version", visible_for_annotators=False),
        ],
        allow_extra_metadata=True,
        distribution=rg.TaskDistribution(min_submitted=2),
    )
    return rg.Dataset(name=name, workspace="spanloop", settings=settings, client=sdk).create()


def raw(client: ArgillaClient, dataset: rg.Dataset) -> Any:
    """All that REST tells of the dataset and its parts."""
    path = f"datasets/{dataset.id}"
    parts = (path, f"{path}/fields", f"{path}/questions", f"me/{path}/metadata-properties", f"{path}/vectors-settings")
    return [bare(client.get(part)) for part in parts]


def test_an_imported_dataset_equals_one_made_by_hand_with_the_sdk(
    argilla_server: Running, client: ArgillaClient, loop: LoopConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.task.labels, loop.task.allow_overlapping = ["place", "person", "event", "art"], True
    loop.task.guidelines, loop.task.min_submitted = "Mark **people** and places.\n", 2
    (tmp_path / "spanloop.yaml").write_text(json.dumps(loop.model_dump()))
    (tmp_path / "x.jsonl").write_text('{"id": "a", "text": "Anna"}')
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    import_file(str(tmp_path / "x.jsonl"), config=tmp_path / "spanloop.yaml")

    sdk = rg.Argilla(argilla_server.url, argilla_server.api_key)
    theirs = made_by_hand(sdk, f"{loop.argilla.dataset}-by-hand")
    ours = sdk.datasets(loop.argilla.dataset, workspace="spanloop")
    assert bare(ours.settings.serialize()) == bare(theirs.settings.serialize())
    assert raw(client, ours) == raw(client, theirs)
    assert [record.fields["text"] for record in ours.records] == ["Anna"]


def test_the_dataset_is_made_once_and_follows_the_configuration(client: ArgillaClient, loop: LoopConfig) -> None:
    dataset = ensure_dataset(client, loop)
    assert (dataset.labels, dataset.allow_overlapping) == (("person", "place"), False)
    assert find_dataset(client, loop) == ensure_dataset(client, loop) == dataset
    loop.task.guidelines, loop.task.min_submitted = "Mark **people**.", 2
    loop.task.labels, loop.task.allow_overlapping = ["place", "person"], True
    ensure_dataset(client, loop)
    found = client.get(f"datasets/{dataset.id}")
    assert (found["guidelines"], found["distribution"]["min_submitted"]) == ("Mark **people**.", 2)
    assert find_dataset(client, loop).labels == ("place", "person")
    properties = client.get(f"me/datasets/{dataset.id}/metadata-properties")["items"]
    assert {(x["name"], x["settings"]["type"]) for x in properties} == {
        ("group", "terms"),
        ("split", "terms"),
        ("priority", "float"),
        ("suspicion", "float"),
        ("uncertainty", "float"),
        ("model_version", "terms"),
    }


@pytest.mark.parametrize("parts", [0, 1, 2, 3])
def test_a_half_made_dataset_is_completed(parts: int, client: ArgillaClient, loop: LoopConfig) -> None:
    workspace = next(x for x in client.get("me/workspaces")["items"] if x["name"] == loop.argilla.workspace)
    made = client.post("datasets", {"name": loop.argilla.dataset, "workspace_id": workspace["id"]})
    options = [{"value": label, "text": label} for label in loop.task.labels]
    span = {"type": "span", "field": "text", "options": options}
    bodies = [
        ("fields", {"name": "text", "title": "Text", "required": True, "settings": {"type": "text"}}),
        (
            "questions",
            {"name": "entities", "title": "E", "required": True, "settings": span},
        ),
        ("metadata-properties", {"name": "group", "title": "Document", "settings": {"type": "terms"}}),
    ]
    for kind, body in bodies[:parts]:
        client.post(f"datasets/{made['id']}/{kind}", body)
    with pytest.raises(ArgillaError, match="is not ready in workspace 'spanloop'"):
        find_dataset(client, loop)
    assert ensure_dataset(client, loop).labels == ("person", "place")
    assert find_dataset(client, loop).id == made["id"]
    assert len(client.get(f"me/datasets/{made['id']}/metadata-properties")["items"]) == 6


def test_what_no_import_can_fill_is_told_before_any_record_is_made(client: ArgillaClient, loop: LoopConfig) -> None:
    ensure_dataset(client, loop)
    title, body = rg.TextField(name="title"), rg.TextField(name="body")
    good = rg.LabelQuestion(name="good", labels=["yes", "no"])

    def theirs(*fields: rg.TextField) -> DatasetRef:
        loop.argilla.dataset = f"theirs-{len(fields)}-{uuid4().hex[:8]}"
        questions = [rg.SpanQuestion(name="ner", field="body", labels=loop.task.labels), good]
        settings = rg.Settings(fields=list(fields), questions=questions)
        rg.Dataset(
            loop.argilla.dataset, workspace=loop.argilla.workspace, settings=settings, client=client.sdk
        ).create()
        return find_dataset(client, loop)

    with pytest.raises(
        ArgillaError, match=r"no span question 'entities' .*, but 'ner' over 'body'; set task\.question"
    ):
        theirs(title, body)
    loop.task.question, loop.task.text_field = "ner", "body"
    record = Imported("1", "1", "Anna", (), "x.csv, line 1")
    with pytest.raises(ArgillaError, match=r"requires the fields title too, which no import fills; create"):
        import_records(client, theirs(title, body), [record], loop)
    dataset = theirs(body)
    with pytest.raises(ArgillaError, match=r"requires the questions good too, .*; import without --as responses"):
        import_records(client, dataset, [record], loop, annotations="responses")
    assert client.get(f"datasets/{dataset.id}/records")["total"] == 0
    ensure_dataset(client, loop)  # as the command does: its metadata is made
    assert import_records(client, dataset, [record], loop).created == 1


def test_labels_that_differ_need_a_decision(client: ArgillaClient, loop: LoopConfig) -> None:
    ensure_dataset(client, loop)
    loop.task.labels = ["person", "city"]
    with pytest.raises(LabelError, match=r"not in Argilla: city; only in Argilla: place.*\{place: city\}"):
        find_dataset(client, loop)
    loop.task.labels = []
    with pytest.raises(ConfigError, match=r"task\.labels is empty"):
        ensure_dataset(client, loop)


def test_guidelines_are_text_whatever_they_say(
    client: ArgillaClient, loop: LoopConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.md").write_text("not for annotators")
    Path("folder").mkdir()
    for text in ("notes.md", "folder"):
        loop.task.guidelines = text
        dataset = ensure_dataset(client, loop)
        assert client.get(f"datasets/{dataset.id}")["guidelines"] == text
        assert find_dataset(client, loop) == dataset


def test_what_is_as_it_should_be_is_not_sent_again(client: ArgillaClient, loop: LoopConfig) -> None:
    loop.task.guidelines = "Mark people.\n"
    dataset = ensure_dataset(client, loop)
    before = client.get(f"datasets/{dataset.id}"), client.get(f"datasets/{dataset.id}/questions")
    assert ensure_dataset(client, loop) == dataset
    assert (client.get(f"datasets/{dataset.id}"), client.get(f"datasets/{dataset.id}/questions")) == before


def test_labels_that_somebody_retitled_keep_their_titles(client: ArgillaClient, loop: LoopConfig) -> None:
    dataset = ensure_dataset(client, loop)
    options = [{"value": "person", "text": "A person"}, {"value": "place", "text": "A place"}]
    settings = {"type": "span", "options": options, "allow_overlapping": False}
    client.patch(f"questions/{dataset.question_id}", {"settings": settings})
    loop.task.labels = ["place", "person"]
    ensure_dataset(client, loop)
    (question,) = client.get(f"datasets/{dataset.id}/questions")["items"]
    assert [(x["value"], x["text"]) for x in question["settings"]["options"]] == [
        ("place", "A place"),
        ("person", "A person"),
    ]


@pytest.fixture
def spaced(client: ArgillaClient) -> Iterator[str]:
    """A workspace whose name the SDK refuses to read, so that it cannot list any."""
    made = client.post("workspaces", {"name": "My team"})
    yield made["name"]
    for dataset in client.sdk.api.datasets.list(UUID(made["id"])):
        client.sdk.api.datasets.delete(dataset.id)
    client.sdk.api.workspaces.delete(made["id"])


def test_a_workspace_with_a_space_in_its_name(spaced: str, client: ArgillaClient, loop: LoopConfig) -> None:
    elsewhere = ensure_dataset(client, loop)
    loop.argilla.workspace = spaced
    dataset = ensure_dataset(client, loop)
    assert find_dataset(client, loop) == dataset
    assert (dataset.name, dataset.workspace_id != elsewhere.workspace_id) == (elsewhere.name, True)
    loop.argilla.workspace = "Another team"
    with pytest.raises(ArgillaError, match="Workspace name must be url safe"):
        ensure_dataset(client, loop)


def test_a_question_of_a_name_that_the_sdk_cannot_carry(client: ArgillaClient, loop: LoopConfig) -> None:
    loop.task.question = "count"
    with pytest.raises(ConfigError, match=r"task.question: .*'count' .*; choose another name"):
        ensure_dataset(client, loop)
