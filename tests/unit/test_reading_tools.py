"""The exports of annotation tools: what they say is read, what they do not say is not made up."""

import json
from pathlib import Path

import pytest

from spanloop.config import ColumnsConfig, LoopConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, Remarks, open_source, parse_records
from spanloop.records import Span

SPAN = {"start": 0, "end": 3, "label": "PER"}
PER = (Span(0, 3, "PER"),)


def lines(*objects: object) -> str:
    return "".join(json.dumps(item) + "\n" for item in objects)


def read(folder: Path, content: str, name: str = "x.jsonl", **columns: object) -> tuple[list[Imported], dict[str, int]]:
    (folder / name).write_text(content)
    named, remarks = ColumnsConfig.model_validate(columns), Remarks()
    table = open_source(str(folder / name), columns=named)
    records = list(parse_records(table, LoopConfig(columns=named), annotated=True, remarks=remarks))
    assert sum(remarks.counts.values()) >= len(remarks.lines()) == len(remarks.counts)
    return records, dict(remarks.counts)


def refused(folder: Path, content: str, message: str, name: str = "x.jsonl") -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(folder, content, name)
    assert "\n" not in str(caught.value)


class TestProdigy:
    def test_what_was_not_accepted_is_a_text_without_annotation(self, tmp_path: Path) -> None:
        answers = {"a": "accept", "b": "reject", "c": "ignore", "d": "Reject"}
        rows = [
            {"text": text, "spans": [SPAN], "answer": answer}
            for text, answer in zip(["Ada a", "Ada b", "Ada c", "Ada d"], answers.values(), strict=True)
        ]
        records, remarks = read(tmp_path, lines(*rows, {"text": "None", "answer": "accept"}))
        assert sorted((r.text, r.spans) for r in records if r.spans) == [("Ada a", PER)]
        assert sorted(r.text for r in records if r.spans is None) == ["Ada b", "Ada c", "Ada d", "None"]
        assert remarks == {
            "annotations left out, their answer is 'reject'": 2,
            "annotations left out, their answer is 'ignore'": 1,
            "accepted texts left without annotation, they have no 'spans'": 1,
        }

    def test_one_annotator_rejects_what_another_accepts(self, tmp_path: Path) -> None:
        rows = [{"text": "Ada", "spans": [SPAN], "answer": answer} for answer in ("reject", "accept")]
        assert [r.spans for r in read(tmp_path, lines(*rows))[0]] == [PER]
        rows[0]["answer"] = "maybe"
        refused(tmp_path, lines(*rows), r"x\.jsonl, line 1: answer 'maybe' is none of accept, reject, ignore")

    def test_its_answers_count_even_where_another_format_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text(lines({"text": "Ada", "spans": [SPAN], "answer": "reject"}))
        table = open_source(str(tmp_path / "x"), "jsonl")
        assert [r.spans for r in parse_records(table, LoopConfig(), annotated=True)] == [None]
        assert table.notes == (f"{tmp_path / 'x'} is read as an export of prodigy",)


class TestDoccano:
    @pytest.mark.parametrize(
        "annotation",
        [
            {"label": [[0, 3, "PER"]]},
            {"labels": [[0, 3, "PER"]]},
            {"entities": [{"id": 7, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": []},
        ],
    )
    def test_its_ways_of_writing_spans(self, annotation: dict[str, object], tmp_path: Path) -> None:
        ((record,), remarks) = read(tmp_path, lines({"id": 5, "text": "Ada", **annotation, "Comments": []}))
        assert (record.id, record.spans, remarks) == ("5", PER, {})

    def test_what_it_does_not_say_is_said(self, tmp_path: Path) -> None:
        rows = [{"id": 1, "text": "Ada", "label": [[0, 3, "PER"]]}, {"id": 2, "text": "Nobody", "label": []}]
        records, remarks = read(tmp_path, lines(*rows))
        assert [r.spans for r in records] == [PER, ()]
        assert list(remarks) == ["texts without a label taken as answered; doccano can export the approved ones alone"]


class TestSpacy:
    @pytest.mark.parametrize(
        "value",
        [
            {"text": "Ada", "entities": [[0, 3, "PER"]]},
            {"text": "Ada", "entities": [[0, 3, "PER", "Q7259"]]},
            ["Ada", {"entities": [[0, 3, "PER"]]}],
            {"text": "Ada", "ents": [SPAN], "tokens": [{"id": 0, "start": 0, "end": 3}]},
        ],
    )
    @pytest.mark.parametrize("as_list", [False, True])
    def test_its_ways_of_writing_spans(self, value: object, as_list: bool, tmp_path: Path) -> None:
        content = json.dumps([value], indent=2) if as_list else lines(value)
        assert [(r.text, r.spans) for r in read(tmp_path, content)[0]] == [("Ada", PER)]

    def test_a_file_of_our_own_stays_one(self, tmp_path: Path) -> None:
        row = {"text": "Ada and Ben", "spans": [[0, 3, "PER"]], "entities": [[8, 11, "PER"]]}
        assert read(tmp_path, lines(row))[0][0].spans == PER
        assert read(tmp_path, lines(row), spans="entities")[0][0].spans == (Span(8, 11, "PER"),)


def task(text: str, *results: list[object], **more: object) -> dict[str, object]:
    return {"id": 3, "data": {"text": text}, "annotations": [{"result": result} for result in results], **more}


def region(start: int, end: int, text: str, label: str = "PER") -> dict[str, object]:
    value = {"start": start, "end": end, "text": text, "labels": [label]}
    return {"id": "x1", "type": "labels", "from_name": "label", "to_name": "text", "value": value}


class TestLabelStudio:
    def test_the_annotation_that_counts(self, tmp_path: Path) -> None:
        ada, other = [region(0, 3, "Ada")], [region(0, 3, "Ada", "LOC")]
        cancelled = task("Ada c", ada) | {"id": 4}
        cancelled["annotations"] = [{"result": ada, "was_cancelled": True}]
        truth = task("Ada d", other, ada) | {"id": 5}
        truth["annotations"][1]["ground_truth"] = True  # type: ignore[index]
        content = json.dumps([task("Ada a", ada, ada), cancelled, truth, task("Ada e") | {"id": 6}])
        records, remarks = read(tmp_path, content, "x.json")
        assert [(r.id, r.spans) for r in records] == [("3", PER), ("4", None), ("5", PER), ("6", None)]
        assert remarks["annotations left out, they were cancelled"] == 1
        refused(
            tmp_path, json.dumps([task("Ada", ada, other)]), r"x\.json, record 1: 2 annotations that differ", "x.json"
        )

    def test_offsets_of_browsers_are_converted_where_the_words_show_them(self, tmp_path: Path) -> None:
        found = [region(3, 6, "Ada"), region(10, 14, "Rome", "LOC")]
        ((record,), remarks) = read(tmp_path, json.dumps([task("😀 Ada in Rome", found)]), "x.json")
        assert record.spans == (Span(2, 5, "PER"), Span(9, 13, "LOC"))
        assert list(remarks.values()) == [1]
        refused(
            tmp_path,
            json.dumps([task("Ada in Rome", found)]),
            r"x\.json, record 1: span 3-6 \(PER\) marks ' in'",
            "x.json",
        )

    def test_json_min(self, tmp_path: Path) -> None:
        value = {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}
        rows = [
            {"text": "Ada", "id": 1, "label": [value], "annotator": 1, "annotation_id": 1, "created_at": "2026"},
            {"text": "Nobody", "id": 2, "annotator": 1, "annotation_id": 2, "created_at": "2026"},
        ]
        assert [(r.id, r.spans) for r in read(tmp_path, json.dumps(rows), "x.json")[0]] == [("1", PER), ("2", ())]

    def test_the_column_of_the_text(self, tmp_path: Path) -> None:
        data = {"id": 1, "data": {"title": "T", "body": "Ada"}, "annotations": []}
        refused(tmp_path, json.dumps([data]), r"no column 'text'; there are: id, title, body.*--text", "x.json")
        assert read(tmp_path, json.dumps([data]), "x.json", text="body")[0][0].text == "Ada"

    def test_what_marks_no_words_is_counted_or_refused(self, tmp_path: Path) -> None:
        choice = {"type": "choices", "value": {"choices": ["good"]}}
        ((record,), remarks) = read(tmp_path, json.dumps([task("Ada", [choice, region(0, 3, "Ada")])]), "x.json")
        assert (record.spans, sum(remarks.values())) == (PER, 1)
        page = {"type": "hypertextlabels", "value": {"hypertextlabels": ["PER"], "start": "/p[1]"}}
        refused(tmp_path, json.dumps([task("Ada", [page])]), r"record 1: .* is no region of plain text", "x.json")


class TestBrat:
    def read(self, folder: Path, text: str, marks: str | None) -> tuple[list[Imported], dict[str, int]]:
        (folder / "b").mkdir()
        (folder / "b" / "a.txt").write_text(text)
        (folder / "b" / "z.txt").write_text("Not looked at")
        if marks is not None:
            (folder / "b" / "a.ann").write_text(marks)
        remarks = Remarks()
        table = open_source(str(folder / "b"), "brat")
        return list(parse_records(table, LoopConfig(), annotated=True, remarks=remarks)), dict(remarks.counts)

    def test_spans_and_what_is_none(self, tmp_path: Path) -> None:
        marks = "T1\tPER 0 3\tAda\nT2\tLOC 7 11;12 16\tRome Nord\nR1\tin Arg1:T1 Arg2:T2\n#1\tNote T1\tx\n"
        (first, other), remarks = self.read(tmp_path, "Ada in Rome\nNord", marks)
        assert (first.id, first.spans) == ("a", (*PER, Span(7, 16, "LOC")))
        assert (other.id, other.spans) == ("z", None)
        assert remarks == {"relations, events, attributes and notes left out": 2}

    def test_a_span_in_parts_leaves_its_text_without_annotation(self, tmp_path: Path) -> None:
        (first, _), remarks = self.read(tmp_path, "left and right arm", "T1\tX 0 4;15 18\tleft arm\n")
        assert first.spans is None
        assert remarks == {"annotations left out, one of their spans lies in several parts": 1}

    @pytest.mark.parametrize(
        ("marks", "message"),
        [
            ("T1 PER 0 3 Ada\n", r"a\.ann, line 1: 'T1 PER 0 3 Ada' is no line of brat's"),
            ("T1\tPER 1 4\tAda\n", r"a\.txt, line 1: span 1-4 \(PER\) marks 'da ', and the file says 'Ada'"),
        ],
    )
    def test_what_is_not_of_it_is_refused(self, marks: str, message: str, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=message):
            self.read(tmp_path, "Ada left", marks)

    def test_an_annotation_without_its_text(self, tmp_path: Path) -> None:
        (tmp_path / "a.ann").write_text("")
        with pytest.raises(DataError, match=r"a\.ann has no text beside it; put a\.txt there"):
            open_source(str(tmp_path))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"}', r"x\.json, record 1: not JSON, for the list does not go on"),
        ('[{"text": "a"},]', r"x\.json, record 2: not JSON \(Expecting value"),
        ('[{"text": "a"}] x', r"x\.json: not JSON, for something follows its list"),
        ("[" * 200_000, r"x\.json, record 1: JSON that is nested too deeply"),
        ("[]", "no record"),
    ],
)
def test_a_damaged_list_is_one_line(content: str, message: str, tmp_path: Path) -> None:
    from spanloop.importing.upload import check

    (tmp_path / "x.json").write_text(content)
    with pytest.raises(DataError, match=message):
        check(open_source(str(tmp_path / "x.json")), LoopConfig(), "nothing")


def test_a_list_of_objects_is_read(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"text {n}", "spans": []} for n in range(3)]
    for indent in (None, 2):
        assert [r.id for r in read(tmp_path, json.dumps(rows, indent=indent), "x.json")[0]] == ["0", "1", "2"]
