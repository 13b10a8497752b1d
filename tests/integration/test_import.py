"""`spanloop import` and `spanloop simulate` as they are typed, on the real Argilla."""

import json
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from spanloop.argilla import ArgillaClient, find_dataset, pull
from spanloop.cli import main
from spanloop.config import LoopConfig
from spanloop.errors import ArgillaError
from spanloop.local_argilla.process import Running
from spanloop.records import Record, Span

CLAIMS = """\
publication_number,sequence_id,tokens
US1,1,"A magnetic head, comprising
 a ""pole"" \U0001f600 tip."
US1,2,The head of claim 1.
US2,1,A disk drive.
"""
Run = Callable[..., int]


@pytest.fixture
def spanloop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argilla_server: Running, argilla_home: Path, loop: LoopConfig
) -> Run:
    """Run the command line in a folder with a configuration, with the local server's own credentials; its exit code."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPANLOOP_HOME", str(argilla_home))
    monkeypatch.delenv("ARGILLA_API_KEY", raising=False)
    Path("spanloop.yaml").write_text(json.dumps(loop.model_dump()))

    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["spanloop", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        return int(left.value.code or 0)

    return run


def records(client: ArgillaClient, loop: LoopConfig) -> dict[str, Record]:
    return {record.id: record for record in pull(client, find_dataset(client, loop))}


def test_patent_claims_with_three_flags(
    spanloop: Run, client: ArgillaClient, loop: LoopConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("claims.csv").write_text(CLAIMS, encoding="utf-8")
    flags = ["--group", "publication_number", "--id", "publication_number,sequence_id", "--text", "tokens"]
    assert spanloop("import", "claims.csv", *flags) == 0
    told = capsys.readouterr()
    assert "3 records imported into" in told.out
    assert "annotation-mode?page=1&status=pending&sort=metadata.priority.desc" in told.out
    first = records(client, loop)
    assert {name: record.group for name, record in first.items()} == {"US1/1": "US1", "US1/2": "US1", "US2/1": "US2"}
    assert first["US1/1"].text == 'A magnetic head, comprising\n a "pole" \U0001f600 tip.'
    assert first["US1/1"].metadata["split"] == first["US1/2"].metadata["split"]

    with Path("claims.csv").open("a") as file:
        file.write("US3,1,A new one.\n")
    assert spanloop("import", "claims.csv", *flags) == 0
    assert "1 records imported" in capsys.readouterr().out
    after = records(client, loop)
    assert {name: after[name] for name in first} == first
    assert sorted(after) == ["US1/1", "US1/2", "US2/1", "US3/1"]


@pytest.mark.parametrize(
    ("flags", "content", "message"),
    [
        (
            ["--text", "claim"],
            CLAIMS,
            "claims.csv: no column 'claim'; there are: publication_number, sequence_id, tokens",
        ),
        (["--text", "tokens"], CLAIMS + "US3,1, \n", "claims.csv, line 6: the text is empty"),
        (["--text", "tokens", "--as", "responses"], CLAIMS, "claims.csv: no column 'spans'"),
        (["--text", "tokens", "--config", "no.yaml"], CLAIMS, "no.yaml does not exist; 'spanloop init' writes one"),
    ],
)
def test_a_bad_file_changes_nothing(
    flags: list[str],
    content: str,
    message: str,
    spanloop: Run,
    client: ArgillaClient,
    loop: LoopConfig,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("claims.csv").write_text(content, encoding="utf-8")
    assert spanloop("import", "claims.csv", *flags) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"spanloop: {message}")
    assert told.count("\n") == 1
    with pytest.raises(ArgillaError, match="does not exist"):
        find_dataset(client, loop)


@pytest.mark.parametrize("annotations", ["responses", "suggestions"])
def test_annotations_of_the_file_go_in(
    annotations: str, spanloop: Run, client: ArgillaClient, loop: LoopConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"id": "a", "text": "\U0001f600 Anna in Rome", "spans": [[2, 6, "person"], [10, 14, "place"]]},
        {"id": "b", "text": "Nobody", "spans": []},
        {"id": "c", "text": "Not annotated"},
    ]
    Path("x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert spanloop("import", "x.jsonl") == 0  # first the texts alone, then the annotations too
    assert spanloop("import", "x.jsonl", "--as", annotations) == 0
    assert spanloop("import", "x.jsonl", "--as", annotations) == 0
    told = capsys.readouterr().out
    assert f"2 annotations of the file imported as {annotations}\n" in told
    assert f"0 annotations of the file imported as {annotations}; 2 were answered or suggested already\n" in told
    found = records(client, loop)
    spans = (Span(2, 6, "person"), Span(10, 14, "place"))
    if annotations == "responses":
        assert {name: [r.spans for r in record.submitted] for name, record in found.items()} == {
            "a": [spans],
            "b": [()],
            "c": [],
        }
    else:
        suggested = {name: record.suggestion for name, record in found.items()}
        assert suggested["a"] is not None
        assert tuple(span.span for span in suggested["a"].spans) == spans
        assert suggested["c"] is None


def test_a_file_suggests_nothing_for_records_that_are_annotated_blind(
    spanloop: Run,
    client: ArgillaClient,
    loop: LoopConfig,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [{"id": f"r{number}", "text": "Anna was here", "spans": [[0, 4, "person"]]} for number in range(30)]
    Path("x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    held_out = {row["id"] for row in rows if loop.splits.split_of(str(row["id"])) != "train"}
    for _ in range(2):
        assert spanloop("import", "x.jsonl", "--as", "suggestions") == 0
        assert {name for name, record in records(client, loop).items() if record.suggestion is None} == held_out
        told = (
            f"{len(held_out)} more are of validation or test records, which people annotate blind; to show them, set "
        )
        assert f"{told}task.blind_held_out to false and import again\n" in capsys.readouterr().out

    monkeypatch.setenv("SPANLOOP_TASK__BLIND_HELD_OUT", "false")
    assert spanloop("import", "x.jsonl", "--as", "suggestions") == 0
    assert all(record.suggestion for record in records(client, loop).values())
    assert f"{len(held_out)} annotations of the file imported as suggestions; " in capsys.readouterr().out


def test_what_was_found_out_and_what_was_left_out_is_told(
    spanloop: Run, client: ArgillaClient, loop: LoopConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"text": f"Anna {answer}", "spans": [[0, 4, "person"]], "answer": answer} for answer in ("accept", "reject")
    ]
    os.mkfifo("pipe")
    threading.Thread(target=Path("pipe").write_text, args=["\n".join(map(json.dumps, rows))], daemon=True).start()
    assert spanloop("import", "pipe", "--format", "jsonl", "--as", "responses") == 0
    told = capsys.readouterr()
    assert "2 records imported" in told.out
    assert "1 annotations left out, their answer is 'reject' (first: pipe, line 2)\n" in told.out
    assert "1 annotations of the file imported as responses\n" in told.out
    assert "spanloop: pipe is read as an export of prodigy\n" in told.err
    found = {record.text: len(record.submitted) for record in records(client, loop).values()}
    assert found == {"Anna accept": 1, "Anna reject": 0}


def test_an_encoding_and_columns_by_number(spanloop: Run, client: ArgillaClient, loop: LoopConfig) -> None:
    lines = ["1\tJürgen\tB-person\tO", "2\tin\tO\tO", "3\tKöln\tB-place\tB-place"]
    Path("x.conll").write_text("\n".join(lines), encoding="cp1252")
    assert spanloop("import", "x.conll", "--encoding", "cp1252", "--as", "responses") == 2  # two columns of tags
    flags = ["--text", "2", "--spans", "3"]
    assert spanloop("import", "x.conll", "--encoding", "cp1252", "--as", "responses", *flags) == 0
    (record,) = records(client, loop).values()
    assert record.text == "Jürgen in Köln"
    assert record.submitted[0].spans == (Span(0, 6, "person"), Span(10, 14, "place"))


def test_a_changed_text_is_told_and_kept(
    spanloop: Run, client: ArgillaClient, loop: LoopConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("x.csv").write_text("id,text\n1,one\n2,two\n")
    spanloop("import", "x.csv")
    Path("x.csv").write_text("id,text\n1,one\n2,changed\n")
    assert spanloop("import", "x.csv") == 0
    assert "1 of them have another text in Argilla and keep it (2); give a changed text a new id" in (
        capsys.readouterr().out
    )
    assert records(client, loop)["2"].text == "two"


def test_simulate_says_that_it_is_simulated(
    spanloop: Run, client: ArgillaClient, loop: LoopConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"id": name, "text": "Anna", "spans": [[0, 4, "person"]]} for name in "abcd"]
    Path("x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    Path("gold.jsonl").write_text("\n".join(map(json.dumps, rows[:3])))
    spanloop("import", "x.jsonl")
    assert spanloop("simulate", "--gold", "gold.jsonl", "--count", "2", "--annotators", "2") == 0
    told = capsys.readouterr().out
    assert f"simulated-annotator-1 (simulated) submitted 2 records of {loop.argilla.dataset!r}" in told
    assert f"simulated-annotator-2 (simulated) submitted 1 records of {loop.argilla.dataset!r}" in told
    assert sorted(name for name, record in records(client, loop).items() if record.submitted) == ["a", "b", "c"]
