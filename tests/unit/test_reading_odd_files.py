"""Files as editors, spreadsheets and exports leave them: read right, or refused in one line; never something else."""

import gzip
import json
import os
import threading
from pathlib import Path

import pytest

from spanloop.config import ColumnsConfig, LoopConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, Remarks, open_source, parse_records
from spanloop.records import Span

PER = (Span(0, 3, "PER"),)
MARK = {"start": 0, "end": 3, "label": "PER"}


def lines(*objects: object) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


def read(
    path: Path, content: str | bytes, remarks: Remarks | None = None, encoding: str = "", **columns: object
) -> list[Imported]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return again(path, remarks, encoding, **columns)


def again(path: Path, remarks: Remarks | None = None, encoding: str = "", **columns: object) -> list[Imported]:
    config = LoopConfig(columns=ColumnsConfig.model_validate(columns))
    table = open_source(str(path), encoding=encoding, columns=config.columns)
    return list(parse_records(table, config, annotated=True, remarks=remarks))


def refused(path: Path, content: str | bytes, message: str, **more: object) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(path, content, **more)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


CSV = 'id,text,spans\n1,Ada left,"[[0, 3, ""PER""]]"\n2,"Ben\nleft",[]\n'
JSONL = lines({"id": 1, "text": "Ada left", "spans": [MARK]}, {"id": 2, "text": "Ben\nleft", "spans": []})
CONLL = "Ada B-PER\nleft O\n\nBen O\nleft O\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("name", "content"), [("x.csv", CSV), ("x.jsonl", JSONL), ("x.conll", CONLL)])
def test_whatever_ends_the_lines(name: str, content: str, end: str, tmp_path: Path) -> None:
    first, second = read(tmp_path / name, content.replace("\n", end))
    assert (first.text, first.spans, second.spans) == ("Ada left", PER, ())
    assert second.text.split() == ["Ben", "left"]


def test_texts_of_brat_keep_whatever_ends_their_lines(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_text("T1\tPER 4 7\tBen\n")
    for end in ("\n", "\r"):
        (tmp_path / "a.txt").write_bytes(f"Ada{end}Ben".encode())
        (record,) = parse_records(open_source(str(tmp_path)), LoopConfig(), annotated=True)
        assert (record.text, record.spans) == (f"Ada{end}Ben", (Span(4, 7, "PER"),))


class TestPacked:
    def test_gzip_is_unpacked_whatever_the_name_and_from_pipes(self, tmp_path: Path) -> None:
        for name in ("x.jsonl.gz", "x.jsonl"):
            assert [r.spans for r in read(tmp_path / name, gzip.compress(JSONL.encode()))] == [PER, ()]
        os.mkfifo(tmp_path / "pipe.csv")
        packed = gzip.compress(CSV.encode())
        threading.Thread(target=(tmp_path / "pipe.csv").write_bytes, args=(packed,), daemon=True).start()
        assert [r.spans for r in again(tmp_path / "pipe.csv")] == [PER, ()]
        names = [r.id for name in ("a.conll.gz", "a.conll") for r in read(tmp_path / name, gzip.compress(b"Ada O\n"))]
        assert names == ["a-1", "a-1"]

    def test_a_cut_one_is_told(self, tmp_path: Path) -> None:
        refused(
            tmp_path / "x.jsonl.gz", gzip.compress(JSONL.encode())[:-9], r"x\.jsonl\.gz cannot be unpacked \(.*again"
        )

    @pytest.mark.parametrize(("start", "kind"), [(b"PK\3\4", "spreadsheet"), (b"BZh9", "bzip2"), (b"\xfd7zXZ", "xz")])
    def test_others_are_named(self, start: bytes, kind: str, tmp_path: Path) -> None:
        refused(tmp_path / "x.csv", start + b"\0" * 40, rf"x\.csv is .*{kind}.*; unpack it, or save it as CSV, first")


class TestTables:
    @pytest.mark.parametrize("header", ["id, text ,spans", "\ufeff\ufeffid,text,spans", '\ufeff"id",text\t,spans'])
    def test_white_space_and_marks_around_a_name_are_no_part_of_it(self, header: str, tmp_path: Path) -> None:
        assert [(r.id, r.text) for r in read(tmp_path / "x.csv", f"{header}\n7,Ada,\n")] == [("7", "Ada")]

    def test_a_stray_nul_makes_no_file_utf_16(self, tmp_path: Path) -> None:
        assert read(tmp_path / "x.csv", b"id,text,spans,x\n1,Ada,,\0\n")[0].text == "Ada"
        refused(tmp_path / "x.csv", b"id,text,spans\n1,A\0da,\n", r"x\.csv, line 2: the text holds U\+0000")

    @pytest.mark.parametrize("nothing", ["nan", "NaN", "<NA>", "None", "NULL", "null", ""])
    def test_what_programs_write_for_nothing_is_nothing(self, nothing: str, tmp_path: Path) -> None:
        (record,) = read(tmp_path / "x.csv", f"id,group,text,spans\n1,{nothing},Ada,{nothing}\n")
        assert (record.group, record.spans) == ("1", None)
        refused(tmp_path / "x.csv", f"id,text,spans\n{nothing},Ada,\n", r"line 2: column 'id' is empty")

    def test_groups_that_pandas_made_floats_are_refused_as_ids_are(self, tmp_path: Path) -> None:
        refused(tmp_path / "x.csv", "id,group,text,spans\n1,3.0,a,\n2,,b,\n3,4.0,c,\n", r"column 'group' is like 3\.0")
        assert read(tmp_path / "x.csv", "id,group,text,spans\n1,3.0,a,\n2,3.1,b,\n")[0].group == "3.0"


class TestEncodings:
    TEXT = "“Café” – 5 €"

    def test_latin_1_is_not_taken_for_what_it_cannot_be(self, tmp_path: Path) -> None:
        content = f"id,text,spans\n1,{self.TEXT},\n".encode("cp1252")
        refused(tmp_path / "x.csv", content, r"holds bytes 0x80-0x9f, .* --encoding cp1252", encoding="latin1")
        assert read(tmp_path / "x.csv", content, encoding="cp1252")[0].text == self.TEXT
        assert (
            read(tmp_path / "x.csv", "id,text,spans\n1,Café,\n".encode("latin1"), encoding="latin1")[0].text == "Café"
        )

    def test_texts_that_were_damaged_before_are_counted(self, tmp_path: Path) -> None:
        damaged = self.TEXT.encode("cp1252").decode("latin1")
        remarks = Remarks()
        read(tmp_path / "x.csv", f"id,text,spans\n1,{damaged},\n2,Café\u0085,\n", remarks)
        (line,) = remarks.lines()
        assert line.startswith("1 texts hold control characters")
        assert line.endswith("x.csv, line 2)")


@pytest.mark.parametrize(
    ("name", "content"), [("x.jsonl", '{"text": "a", "text": "b"}\n'), ("x.json", '[{"a": {"b": 1, "b": 1}}]')]
)
def test_a_key_that_stands_twice_is_refused(name: str, content: str, tmp_path: Path) -> None:
    refused(tmp_path / name, content, r"key '\w+' stands twice in one object")


class TestDecisions:
    @pytest.mark.parametrize("answer", ["reject", "ignore", "Reject"])
    def test_what_an_annotator_refused_is_refused_in_every_format(self, answer: str, tmp_path: Path) -> None:
        first = [{"id": n, "text": f"Ada {n}", "spans": [MARK]} for n in range(150)]  # more than are looked at
        late = lines(*first, {"id": 150, "text": "Ada", "spans": [MARK], "answer": answer})
        table = f'id,text,spans,answer\n1,Ada,"[[0, 3, ""PER""]]",{answer}\n'
        for name, content in {"x.jsonl": late, "x.csv": table}.items():
            remarks = Remarks()
            assert read(tmp_path / name, content, remarks)[-1].spans is None
            assert remarks.counts == {f"annotations left out, their answer is '{answer.lower()}'": 1}

    def test_a_column_of_that_name_that_holds_the_text_says_nothing(self, tmp_path: Path) -> None:
        row = {"id": 1, "answer": "reject", "spans": [{"start": 0, "end": 6, "label": "X"}]}
        assert read(tmp_path / "x.jsonl", lines(row), text="answer")[0].spans == (Span(0, 6, "X"),)


UTF_16 = {"text": "😀 Ada left", "spans": [[3, 6, "PER"]]}
BYTES = {"text": "Zoë Ada left", "spans": [[5, 8, "PER"]]}


class TestOffsetsWithoutWords:
    @pytest.mark.parametrize(("row", "unit"), [(UTF_16, "UTF-16 units"), (BYTES, "bytes of UTF-8")])
    def test_spans_that_cut_words_tell_the_unit(self, row: dict[str, object], unit: str, tmp_path: Path) -> None:
        refused(tmp_path / "x.jsonl", lines(row), rf"x\.jsonl, line 1: spans .* if offsets counted {unit} \(1 such")

    @pytest.mark.parametrize(
        "rows",
        [
            [{"text": "😀 Ada left", "spans": [[2, 5, "PER"]]}, UTF_16],  # as many are right as they are
            [{"text": "Die Straßenbahn fährt", "spans": [[4, 10, "X"]]}],  # a part of a word, whatever the unit
            [{"text": "😀東京に住む", "spans": [[1, 3, "LOC"]]}],  # no blanks between words
            [{"text": "Ada left", "spans": [[1, 3, "PER"]]}],  # all units are one
            [{**UTF_16, "spans": [{"start": 3, "end": 6, "label": "PER", "text": "da "}]}],  # the file says so
        ],
    )
    def test_other_spans_are_read_as_they_are(self, rows: list[dict[str, object]], tmp_path: Path) -> None:
        rows = [row | {"id": number} for number, row in enumerate(rows)]
        assert len(read(tmp_path / "x.jsonl", lines(*rows))) == len(rows)


REGION = {"id": "a", "type": "labels", "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}}


class TestLabelStudio:
    def task(self, *regions: object) -> str:
        return json.dumps([{"id": 3, "data": {"text": "Ada left"}, "annotations": [{"result": regions}]}])

    def test_relations_are_left_out_and_counted(self, tmp_path: Path) -> None:
        relation = {"from_id": "a", "to_id": "a", "type": "relation", "direction": "right", "labels": ["in"]}
        remarks = Remarks()
        assert read(tmp_path / "x.json", self.task(REGION, relation), remarks)[0].spans == PER
        assert list(remarks.counts) == ["regions left out, they mark no words: choices, relations or ratings"]

    @pytest.mark.parametrize("kind", ["paragraphlabels", "hypertextlabels", "timeserieslabels"])
    def test_marks_on_something_else_than_plain_text_are_no_answer_without_spans(
        self, kind: str, tmp_path: Path
    ) -> None:
        region = {"type": kind, "value": {"start": "0", "end": "0", "startOffset": 0, "endOffset": 3, kind: ["PER"]}}
        refused(tmp_path / "x.json", self.task(region), r"record 1: .* is no region of plain text")

    def test_the_cells_of_its_csv_export(self, tmp_path: Path) -> None:
        cell = json.dumps([REGION["value"]]).replace('"', '""')
        assert read(tmp_path / "x.csv", f'id,text,label\n1,Ada left,"{cell}"\n', spans="label")[0].spans == PER


@pytest.mark.parametrize(
    "content",
    [
        "1 Ada B-PER\n2 left O\n1 Rome B-LOC\n2 fell O\n",  # no empty line between sentences
        "1\tAda\tB-PER\n\n1\tRome\tB-LOC\n",  # sentences of one token
    ],
)
def test_numbers_alone_are_no_tokens_unless_they_are_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "x.conll"
    refused(path, content, r"x\.conll: column 1 holds numbers alone; name the column .* --text, e\.g\. --text 2")
    assert "Ada" in read(path, content, text="2")[0].text
    assert read(path, content, text="1")[0].text.startswith("1")
    assert read(path, "1 O\n2 B-X\n")[0].text == "1 2"
