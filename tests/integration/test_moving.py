"""A dataset that people made themselves moves to one with other labels: nothing that is in it is left behind."""

from typing import Any

import argilla as rg
import pytest
from argilla import Record, Response, Suggestion

from spanloop.argilla import ArgillaClient
from spanloop.config import LoopConfig
from spanloop.importing.moving import move_dataset
from spanloop.local_argilla.process import Running


@pytest.fixture
def theirs(argilla_server: Running, loop: LoopConfig) -> rg.Dataset:
    """Two fields, two questions, a bounded property, vectors; three records with answers and suggestions."""
    sdk = rg.Argilla(argilla_server.url, argilla_server.api_key)
    loop.argilla.workspace = rg.Workspace(f"of-{loop.argilla.dataset}", client=sdk).create().name
    settings = rg.Settings(
        guidelines="Mark **people**.",
        fields=[rg.TextField(name="text", title="The text"), rg.TextField(name="source", required=False)],
        questions=[
            rg.SpanQuestion(name="entities", field="text", labels={"person": "A person", "place": "A place"}),
            rg.TextQuestion(name="comment", required=False),
        ],
        metadata=[rg.FloatMetadataProperty(name="quality", min=0, max=1)],
        vectors=[rg.VectorField(name="mean", dimensions=2)],
        distribution=rg.TaskDistribution(min_submitted=2),
    )
    dataset = rg.Dataset(loop.argilla.dataset, workspace=loop.argilla.workspace, settings=settings, client=sdk).create()
    marked = [{"start": 0, "end": 4, "label": "person"}, {"start": 8, "end": 12, "label": "place"}]
    me = sdk.me.id
    answer = [Response("entities", marked, me, "submitted"), Response("comment", "sure", me, "submitted")]
    guess = Suggestion("entities", marked, score=[0.25, 0.5], agent="gpt-4o", type="model")
    vectors = {"mean": [0.5, -1.0]}
    dataset.records.log(
        [
            Record(
                fields={"text": "Anna in Oslo", "source": "a"},
                metadata={"quality": 0.5},
                responses=answer,
                vectors=vectors,
            ),
            Record(fields={"text": "Anna in Rome"}, suggestions=[guess, Suggestion("comment", "hm", agent="gpt-4o")]),
            Record(fields={"text": "Anna in Lima"}, responses=[Response("entities", [], me, "discarded")]),
        ]
    )
    return dataset


def parts(client: ArgillaClient, name: str) -> Any:
    """The dataset with all its parts, but for ids and times."""
    (dataset,) = [x for x in client.get("me/datasets")["items"] if x["name"] == name]
    path = f"datasets/{dataset['id']}"
    kinds = (f"{path}/fields", f"{path}/questions", f"me/{path}/metadata-properties", f"{path}/vectors-settings")
    kept = {key: dataset[key] for key in ("guidelines", "distribution", "allow_extra_metadata", "status")}
    return kept, [[(x["name"], x.get("title"), x.get("settings")) for x in client.get(kind)["items"]] for kind in kinds]


def records(client: ArgillaClient, name: str) -> list[Any]:
    (dataset,) = [x for x in client.get("me/datasets")["items"] if x["name"] == name]
    names = {x["id"]: x["name"] for x in client.get(f"datasets/{dataset['id']}/questions")["items"]}
    sort = [{"scope": {"entity": "record", "property": "inserted_at"}, "order": "asc"}]
    path = f"datasets/{dataset['id']}/records/search"
    found = client.search(path, {"sort": sort}, include="responses,suggestions,vectors", limit=10)["items"]
    return [
        (
            *(item["record"][key] for key in ("status", "fields", "metadata", "vectors")),
            [(x["user_id"], x["status"], x["values"]) for x in item["record"]["responses"]],
            {
                names[x["question_id"]]: (x["value"], x["score"], x["agent"], x["type"])
                for x in item["record"]["suggestions"]
            },
        )
        for item in found
    ]


def test_all_of_a_dataset_moves(client: ArgillaClient, loop: LoopConfig, theirs: rg.Dataset) -> None:
    before = parts(client, theirs.name), records(client, theirs.name)
    name = f"{theirs.name}-2"
    loop.task.labels = ["event", "place", "person"]
    moved = move_dataset(client, loop, name)
    assert (moved.records, moved.created, moved.responses, moved.spans, moved.left_out) == (3, 3, 2, 2, {})
    assert (parts(client, theirs.name), records(client, theirs.name)) == before
    assert records(client, name) == before[1]
    dataset, (fields, (entities, comment), properties, vectors) = parts(client, name)
    assert (dataset, fields, comment) == (before[0][0], before[0][1][0], before[0][1][1][1])
    assert {x[0] for x in properties} == {"quality"}
    assert (properties, vectors) == (before[0][1][2], before[0][1][3])
    options = [(option["value"], option["text"]) for option in entities[2]["options"]]
    assert options == [("event", "event"), ("place", "A place"), ("person", "A person")]


def test_spans_are_mapped_and_left_out_on_the_way(client: ArgillaClient, loop: LoopConfig, theirs: rg.Dataset) -> None:
    loop.task = loop.task.model_validate({"labels": ["human", "event"], "mapping": {"person": "human", "place": ""}})
    moved = move_dataset(client, loop, f"{theirs.name}-2")
    assert (moved.spans, moved.left_out) == (1, {"place": 1})
    first, second, third = records(client, f"{theirs.name}-2")
    human = [{"label": "human", "start": 0, "end": 4}]
    assert [values["entities"]["value"] for _, _, values in first[4]] == [human]
    assert second[5]["entities"] == (human, [0.25], "gpt-4o", "model")
    assert third[4][0][1] == "discarded"


def test_a_half_made_copy_is_completed(client: ArgillaClient, loop: LoopConfig, theirs: rg.Dataset) -> None:
    name, workspace = f"{theirs.name}-2", str(theirs.workspace.id)
    body = {"name": name, "workspace_id": workspace, "distribution": {"strategy": "overlap", "min_submitted": 2}}
    made = client.post("datasets", {**body, "guidelines": "Mark **people**.", "allow_extra_metadata": False})
    field = {"name": "text", "title": "The text", "required": True, "settings": {"type": "text", "use_markdown": False}}
    client.post(f"datasets/{made['id']}/fields", field)
    assert move_dataset(client, loop, name).created == 3
    assert records(client, name) == records(client, theirs.name)
