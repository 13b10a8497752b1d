"""Records and annotations survive the way through a file, whatever is in their text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.errors import StoreError
from spanloop.records import Annotation, Record, Response, ScoredSpan, Span, Suggestion
from spanloop.store.jsonl import read_annotations, read_json, read_records, write_annotations, write_json, write_records

RECORD = Record(
    id="doc/1",
    text="Anna 🎉 flew to\r\nPar\u0301is.",
    group="doc",
    server_id="9b1c",
    status="completed",
    responses=(Response("u1", "submitted", (Span(0, 4, "person"),), "2026-11-21T10:00:00Z"),),
    suggestion=Suggestion((ScoredSpan(0, 4, "person", 0.75),), "m0001-aaaaaaaa", "2026-11-20T10:00:00Z"),
    metadata={"priority": 0.5, "group": "doc"},
)


def test_a_record_comes_back_as_it_was(tmp_path):
    bare = Record(id="2", text="", group="2")
    path = write_records(tmp_path / "records.jsonl", [RECORD, bare])
    assert list(read_records(path)) == [RECORD, bare]


def test_an_annotation_comes_back_as_it_was(tmp_path):
    found = [
        Annotation("1", "Anna", "1", (Span(0, 4, "person"),), ("u1", "u2"), 0.5),
        Annotation("2", "", "2", (), (), None),
    ]
    assert read_annotations(write_annotations(tmp_path / "annotations.jsonl", found)) == found


@given(text=st.text(st.characters(), max_size=40))
def test_any_text_comes_back(tmp_path_factory, text):
    record = Record(id="1", text=text, group="1")
    path = tmp_path_factory.mktemp("text") / "records.jsonl"
    assert list(read_records(write_records(path, [record]))) == [record]


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = write_json(tmp_path / "a.json", {"a": 1})

    def records():
        yield RECORD
        raise RuntimeError("the server went away")

    with pytest.raises(RuntimeError):
        write_records(path, records())
    assert read_json(path) == {"a": 1}


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "journal.json"
    path.write_text("{half")
    with pytest.raises(StoreError, match=r"journal\.json is damaged"):
        read_json(path)


def test_a_missing_document_is_none(tmp_path):
    assert read_json(tmp_path / "none.json") is None
