"""Every format says the same thing, and every bad file is one line that names the place and the way out."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanloop.config import ColumnsConfig, LoopConfig, TaskConfig
from spanloop.errors import DataError, LabelError
from spanloop.importing import Imported, open_source, parse_records
from spanloop.importing.remarks import Remarks
from spanloop.records import Span

TEXT = 'Anna, "Ann",\r\nwent to Rome 😀'
ROWS = [
    {"id": "a", "group": "doc", "text": TEXT, "spans": [{"start": 0, "end": 4, "label": "person"}]},
    {"id": "b", "group": "doc", "text": "Nobody", "spans": []},
    {"id": "c", "group": "", "text": "Rome", "spans": None},
]
EXPECTED = [
    ("a", "doc", TEXT, (Span(0, 4, "person"),)),
    ("b", "doc", "Nobody", ()),
    ("c", "c", "Rome", None),
]
TASK = TaskConfig(labels=["person", "place"])


def read(path: Path | str, annotated: bool = True, kind: str = "", **columns: object) -> list[Imported]:
    config = LoopConfig(task=TASK, columns=ColumnsConfig.model_validate(columns))
    return list(parse_records(open_source(str(path), kind), config, annotated=annotated))


def write_jsonl(path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))


def write_csv(path: Path, delimiter: str = ",") -> None:
    def cell(value: object) -> str:
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
        return '"' + text.replace('"', '""') + '"'

    lines = [delimiter.join(ROWS[0]), *(delimiter.join(map(cell, row.values())) for row in ROWS)]
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())  # as spreadsheets write it


def write_parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(ROWS), path)


WRITERS: dict[str, Callable[[Path], None]] = {
    "x.jsonl": write_jsonl,
    "x.csv": write_csv,
    "x.tsv": lambda path: write_csv(path, "\t"),
    "x.parquet": write_parquet,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_says_the_same(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    assert [(r.id, r.group, r.text, r.spans) for r in read(tmp_path / name)] == EXPECTED
    assert [r.spans for r in read(tmp_path / name, annotated=False)] == [None] * 3


def test_conll_sentences_become_records(tmp_path: Path) -> None:
    path = tmp_path / "news.conll"
    path.write_text(
        "-DOCSTART- -X- O O\n\nAnna NNP I-NP B-person\nLee NNP I-NP I-person\n# NN I-NP O\n\n"
        "-DOCSTART- -X- O O\n\n# id 7\nRome NNP I-NP B-place\nParis\tNNP B-NP B-place\n\n\nNobody NN I-NP O\n"
    )
    assert [(r.id, r.group, r.text, r.spans) for r in read(path)] == [
        ("news-1", "news-doc1", "Anna Lee #", (Span(0, 8, "person"),)),
        ("news-2", "news-doc2", "Rome Paris", (Span(0, 4, "place"), Span(5, 10, "place"))),
        ("news-3", "news-doc2", "Nobody", ()),
    ]


@pytest.mark.parametrize(
    ("scheme", "tags", "spans"),
    [
        ("IOB2", "B-x I-x B-x O", [(0, 3), (4, 5)]),
        ("IOB1", "I-x I-x B-x O", [(0, 3), (4, 5)]),
        ("IOBES", "B-x E-x S-x O", [(0, 3), (4, 5)]),
        ("BILOU", "B-x L-x U-x O", [(0, 3), (4, 5)]),
        ("broken", "O I-x O I-x", [(2, 3), (6, 7)]),
    ],
)
def test_tag_schemes(scheme: str, tags: str, spans: list[tuple[int, int]], tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"tokens": list("abcd"), "ner_tags": tags.replace("x", "place").split()}))
    (record,) = read(path, text="tokens", spans="ner_tags")
    assert record.spans == tuple(Span(start, end, "place") for start, end in spans)


def test_a_saved_dataset_is_read_with_the_names_of_its_labels(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value

    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=["O", "B-person"]))})
    rows = Dataset.from_list([{"tokens": ["Anna", "left"], "tags": [1, 0]}], features=features)
    DatasetDict({"train": rows}).save_to_disk(tmp_path / "saved")
    (record,) = read(tmp_path / "saved", text="tokens", spans="tags")
    assert (record.text, record.spans) == ("Anna left", (Span(0, 4, "person"),))
    with pytest.raises(DataError, match=r"split 'test'.*check the spelling, --split"):
        open_source(str(tmp_path / "saved"), split="test")


def test_ids_are_joined_or_hashed(tmp_path: Path) -> None:
    path = tmp_path / "claims.csv"
    path.write_text("publication_number,sequence_id,tokens\nUS1,1,A head.\nUS1,2,The head of 1.\nUS2,1,A head.\n")
    columns = {"text": "tokens", "group": "publication_number", "id": ["publication_number", "sequence_id"]}
    assert [(r.id, r.group) for r in read(path, annotated=False, **columns)] == [
        ("US1/1", "US1"),
        ("US1/2", "US1"),
        ("US2/1", "US2"),
    ]
    hashed = read(path, annotated=False, text="tokens")
    assert [r.text for r in hashed] == ["A head.", "The head of 1."]  # the same text without a group is the same record
    assert hashed[0].id == hashed[0].group == read(path, annotated=False, text="tokens")[0].id
    assert len(hashed[0].id) == 16


GOOD = '{"id": "a", "text": "Anna went out"}\n'
BAD: dict[str, tuple[str, bytes, str]] = {
    "not UTF-8": (
        "x.csv",
        b"id,text\n1,caf\xe9\n",
        r"x.csv, line 2: byte 6 \(0xe9\) is not UTF-8; name its encoding, e.g. --encoding cp1252 or",
    ),
    "not UTF-8 JSON": ("x.jsonl", GOOD.encode() + b'{"text": "\xff"}', r"x.jsonl, line 2: byte 11 \(0xff\)"),
    "missing column": ("x.csv", b"id,body\n1,x\n", r"x.csv: no column 'text'; there are: id, body.* --text"),
    "missing key": ("x.jsonl", GOOD.encode() + b'{"id": "b"}', r"x.jsonl, line 2: no column 'text'"),
    "empty file": ("x.csv", b"", r"x.csv is empty; its first line must name the columns"),
    "empty text": ("x.csv", b"id,text\n1,a\n2, \n", r"x.csv, line 3: the text is empty; remove the record"),
    "null text": ("x.jsonl", b'{"text": null}', r"line 1: the text is empty"),
    "number for text": ("x.jsonl", b'{"text": 7}', r"line 1: the text is of type int; name a column of text"),
    "1 MB text": ("x.jsonl", b'{"text": "' + b"a" * 10**6 + b'"}', r"1,000,000 characters, more than the 65,536"),
    "NUL": ("x.jsonl", b'{"text": "a\\u0000b"}', r"holds U\+0000 or half a surrogate pair"),
    "half a pair": ("x.jsonl", b'{"text": "a\\ud83d"}', r"holds U\+0000 or half a surrogate pair"),
    "short row": ("x.csv", b"id,text\n1,a\n2\n", r"x.csv, line 3: the line has 1 of 2 columns"),
    "open quote": ("x.csv", b'id,text\n1,a\n2,"b\n3,c\n', r"x.csv, line 3: .*quotes"),
    "column twice": ("x.csv", b"id,text,id\n1,a,2\n", r"column 'id' stands twice"),
    "id twice": ("x.csv", b"id,text\n1,a\n2,b\n1,c\n", r"x.csv, line 4: id '1' stands at line 2 already.*--id"),
    "empty id": ("x.csv", b"id,text\n,a\n", r"x.csv, line 2: column 'id' is empty"),
    "list for id": ("x.jsonl", b'{"id": [1], "text": "a"}', r"column 'id' holds '\[1\]', neither text nor a number"),
    "not JSON": (
        "x.jsonl",
        GOOD.encode() + b"{text}",
        r"x.jsonl, line 2: not JSON .* every line must be one JSON object",
    ),
    "JSON list": ("x.jsonl", b"[1]", r"record 1: not a JSON object but a int"),
    "not Parquet": ("x.parquet", b"PAR1 no", r"x.parquet cannot be read as Parquet"),
    "no tag": ("x.conll", b"Anna B-person\nwent\n", r"x.conll, line 2: 'went' is a token without a tag"),
    "odd tag": ("x.conll", b"Anna person\n", r"x.conll, line 1, column 2: tag 'person' is neither O nor like B-name"),
    "unknown ending": ("x.doc", b"?", r"x.doc: the ending does not say .* --format with one of brat, conll, csv"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_with_the_place_and_the_way_out(name: str, tmp_path: Path) -> None:
    file, content, message = BAD[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path / file, annotated=file.endswith("conll"))
    assert "\n" not in str(caught.value)


BAD_SPANS: dict[str, tuple[object, str]] = {
    "outside": ([[0, 99, "person"]], r"x.jsonl, line 1: span 0-99 \(person\) does not fit the text, 13 characters"),
    "negative": ([[-1, 2, "person"]], r"span -1-2"),
    "empty": ([[2, 2, "person"]], r"span 2-2"),
    "unknown label": ([[0, 4, "city"]], r"label 'city' is not in task.labels \(person, place\); add it there"),
    "overlap": ([[0, 9, "person"], [5, 13, "place"]], r"spans 0-9 \(person\) and 5-13 \(place\) overlap"),
    "text for offset": ([["0", 4, "person"]], r"is no span; write start, end \(whole numbers\)"),
    "no label": ([{"start": 0, "end": 4}], r"is no span"),
    "not JSON": ("Anna", r"spans are not JSON"),
    "uneven": ({"start": [0, 5], "end": [4], "label": ["person", "person"]}, r"are lists of different lengths"),
    "not a list": (7, r"spans are of type int, not a list"),
}


@pytest.mark.parametrize("name", BAD_SPANS)
def test_a_bad_span_is_named(name: str, tmp_path: Path) -> None:
    spans, message = BAD_SPANS[name]
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"id": "a", "text": "Anna went out", "spans": spans}))
    with pytest.raises(LabelError if name == "unknown label" else DataError, match=message):
        read(path)
    assert [record.id for record in read(path, annotated=False)] == ["a"]


def test_a_file_of_earlier_labels_is_read_as_they_are_meant_now(tmp_path: Path) -> None:
    spans = [[0, 4, "human"], [5, 9, "verb"], [10, 13, "place"]]
    (tmp_path / "x.jsonl").write_text(json.dumps({"id": "a", "text": "Anna went out", "spans": spans}))
    task = TaskConfig(labels=["person", "place"], mapping={"human": "person", "verb": ""})
    table, remarks = open_source(str(tmp_path / "x.jsonl")), Remarks()
    (record,) = parse_records(table, LoopConfig(task=task), annotated=True, remarks=remarks)
    assert record.spans == (Span(0, 4, "person"), Span(10, 13, "place"))
    (line,) = remarks.lines()
    assert line.startswith("1 spans of 'verb' left out, as task.mapping says (first: ")


def test_a_format_that_is_unknown_is_told_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no format 'xlsx'; --format is one of brat, conll, csv"):
        read(tmp_path / "x.csv", kind="xlsx")


def test_a_missing_file_is_not_looked_for_on_the_hub(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"missing.csv does not exist; give a file"):
        open_source(str(tmp_path / "missing.csv"))


def test_line_ends_in_names_do_not_break_the_line_of_a_message(tmp_path: Path) -> None:
    for name, content in {
        "x.csv": 'id,"te\nxt",spans\n1,a,\n',
        "y.csv": 'id,text,spans\n1,ab,"[[0, 9, ""per\\nson""]]"\n',
        "x.jsonl": '{"te\\nxt": 1}\n',
    }.items():
        (tmp_path / name).write_text(content)
        with pytest.raises(DataError, match=name) as caught:
            read(tmp_path / name)
        assert "\n" not in str(caught.value)
