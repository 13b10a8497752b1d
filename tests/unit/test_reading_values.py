"""What a file means is read, or refused with its place: repeated texts, lists, names of labels, ids, offsets."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spanloop.config import ColumnsConfig, LoopConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, Remarks, open_source, parse_records
from spanloop.importing.upload import check
from spanloop.records import Span


def read(path: Path, remarks: Remarks | None = None, **columns: object) -> list[Imported]:
    named = ColumnsConfig.model_validate(columns)
    table = open_source(str(path), columns=named)
    return list(parse_records(table, LoopConfig(columns=named), annotated=True, remarks=remarks))


def jsonl(folder: Path, *rows: object) -> Path:
    path = folder / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "x.csv"
    path.write_text(text)
    return path


ADA, NOTHING = "Ada lives in Paris.", "Nothing here."


def test_a_text_that_comes_again_with_another_annotation_is_refused_with_both_places(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"text": ADA, "spans": [[13, 18, "LOC"]]}, {"text": ADA, "spans": [[0, 3, "PER"]]})
    with pytest.raises(DataError, match=r"x\.jsonl, line 2: the same text as at line 1 with another annotation; keep"):
        read(path)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_of_equal_texts_the_annotated_one_is_taken_and_the_others_are_counted(
    order: tuple[int, ...], tmp_path: Path
) -> None:
    rows = [{"text": NOTHING}, {"text": NOTHING, "spans": []}, {"text": NOTHING, "spans": []}, {"text": "Alone."}]
    path = jsonl(tmp_path, *(rows[number] for number in order))
    remarks = Remarks()
    assert sorted((r.text, r.spans) for r in read(path, remarks)) == [("Alone.", None), (NOTHING, ())]
    assert remarks.counts == {"texts left out, they stand in the file already": 2}
    assert check(open_source(str(path)), LoopConfig(), "responses").remarks.counts == remarks.counts
    assert check(open_source(str(path)), LoopConfig(), "nothing").records == 2


@pytest.mark.parametrize(
    ("tokens", "tags"),
    [
        ("\"['Ada', 'lives', 'in', 'Paris']\"", "\"['B-PER', 'O', 'O', 'B-LOC']\""),
        ('"[""Ada"", ""lives"", ""in"", ""Paris""]"', '"[""B-PER"", ""O"", ""O"", ""B-LOC""]"'),
        ("['Ada' 'lives' 'in' 'Paris']", "['B-PER' 'O' 'O' 'B-LOC']"),
        ("\"['Ada' \"\"lives\"\" 'in'\n 'Paris']\"", "\"['B-PER' 'O' 'O'\n 'B-LOC']\""),
        ("\"['Ada', 'lives', 'in', 'Paris']\"", '"[[0, 3, ""PER""], [13, 18, ""LOC""]]"'),
        ("Ada lives in Paris", "\"[{'start': 0, 'end': 3, 'label': 'PER'}, (13, 18, 'LOC')]\""),
    ],
)
def test_lists_in_the_cells_of_a_csv_file(tokens: str, tags: str, tmp_path: Path) -> None:
    (record,) = read(csv(tmp_path, f"id,tokens,tags\n1,{tokens},{tags}\n"), text="tokens", spans="tags")
    assert (record.text, record.spans) == ("Ada lives in Paris", (Span(0, 3, "PER"), Span(13, 18, "LOC")))


def test_a_column_holds_lists_or_texts(tmp_path: Path) -> None:
    path = csv(tmp_path, "id,text,spans\n1,\"['Ada', 'left']\",\n2,Ben\n".replace("2,Ben", "2,Ben,"))
    with pytest.raises(DataError, match=r"x\.csv, line 3: 'Ben' is no list of tokens, as the first is"):
        read(path)
    path = csv(tmp_path, "id,text,spans\n1,[Ada] left,\n2,\"['Ben', 'left']\",\n3,[1],\n")
    assert [record.text for record in read(path)] == ["[Ada] left", "['Ben', 'left']", "[1]"]


def test_the_names_of_labels_are_read_from_the_schema_of_a_parquet_file(tmp_path: Path) -> None:
    from datasets import ClassLabel, Dataset, Features, List, Value

    label = ClassLabel(names=["O", "B-PER", "I-PER"])
    span = {"start": Value("int32"), "end": Value("int32"), "label": ClassLabel(names=["LOC", "PER"])}
    features = Features(
        {"tokens": List(Value("string")), "tags": List(label), "text": Value("string"), "spans": [span]}
    )
    row = {
        "tokens": ["Ada", "Hall", "left"],
        "tags": [1, 2, 0],
        "text": "Ada left",
        "spans": [{"start": 0, "end": 3, "label": 1}],
    }
    Dataset.from_list([row], features=features).to_parquet(tmp_path / "x.parquet")
    assert read(tmp_path / "x.parquet", text="tokens", spans="tags")[0].spans == (Span(0, 8, "PER"),)
    assert read(tmp_path / "x.parquet")[0].spans == (Span(0, 3, "PER"),)


def test_numbers_without_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.Table.from_pylist([{"tokens": ["Ada"], "tags": [3]}]), path)
    with pytest.raises(DataError, match=r"x\.parquet, record 1: the tags are numbers, and the file does not name them"):
        read(path, text="tokens", spans="tags")


def test_numbers_that_pandas_made_floats_are_refused_in_every_format(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"id": 12.0, "text": "a", "spans": None}]), tmp_path / "x.parquet")
    wanted = (
        r"column 'id' (holds|is like) 12\.0, a whole number that became a fraction, as pandas .*astype\(\"Int64\"\)"
    )
    for path in (
        tmp_path / "x.parquet",
        csv(tmp_path, "id,text,spans\n12.0,a,\n13.0,b,\n"),
        jsonl(tmp_path, {"id": 12.0, "text": "a"}),
        jsonl(tmp_path, {"id": "12.0", "text": "a", "spans": []}),
    ):
        with pytest.raises(DataError, match=wanted):
            read(path)
    assert [r.id for r in read(csv(tmp_path, "id,text,spans\n1.0,a,\n1.1,b,\n"))] == ["1.0", "1.1"]  # sections


def test_what_pandas_writes_for_nothing_is_nothing(tmp_path: Path) -> None:
    rows = pa.Table.from_pydict({"text": ["a"], "group": [float("nan")], "spans": [float("nan")]})
    pq.write_table(rows, tmp_path / "x.parquet")
    (record,) = read(tmp_path / "x.parquet")
    assert (record.group, record.spans) == (record.id, None)


@pytest.mark.parametrize(
    ("text", "span", "message"),
    [
        (
            "😀 Ada",
            [3, 6, "PER"],
            r"span 3-6 .* does not fit .*; the offsets count UTF-16 units: make each len\(.*\) in",
        ),
        ("Zoë Ada", [5, 8, "PER"], r"span 5-8 .* does not fit .*; the offsets count bytes of UTF-8: make each len\("),
        ("😀 Ada left", {"start": 3, "end": 6, "label": "PER", "text": "Ada"}, r"marks 'da ', .* says 'Ada'; .*UTF-16"),
        ("Zoë Ada left", {"start": 5, "end": 8, "label": "PER", "text": "Ada"}, r"marks 'da ', .* 'Ada'; .*bytes of"),
        (
            "Ada left",
            {"start": 1, "end": 4, "label": "PER", "text": "Ada"},
            r"marks 'da ', .* offsets count characters",
        ),
        ("Ada left", [3, 4, "PER"], r"span 3-4 \(PER\) marks white space alone"),
    ],
)
def test_offsets_that_count_something_else(text: str, span: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.jsonl, line 1: .*" + message) as caught:
        read(jsonl(tmp_path, {"text": text, "spans": [span]}))
    assert "\n" not in str(caught.value)


def test_the_advice_on_offsets_is_right() -> None:
    text = "Zoë 😀 Ada"
    start = text.index("Ada")
    assert len(text.encode("utf-16-le")[: 2 * (start + 1)].decode("utf-16-le")) == start
    assert len(text.encode()[: start + 4].decode()) == start


def test_json_that_is_nested_too_deeply_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": ' + "[" * 200_000 + "]" * 200_000 + "}\n")
    with pytest.raises(DataError, match=r"x\.jsonl, line 1: JSON that is nested too deeply to be read"):
        read(path)
    with pytest.raises(DataError, match=r"x\.csv, line 2: spans are not JSON"):
        read(csv(tmp_path, "text,spans\na," + "[" * 200_000 + "]" * 200_000 + "\n"))


def test_the_delimiter_of_a_csv_file_is_seen_or_named(tmp_path: Path) -> None:
    path = csv(tmp_path, '"id";"text"\n1;Ada, and Ben\n')
    table = open_source(str(path))
    assert table.notes == (f"{path}: columns are parted by ';'",)
    assert [r.text for r in parse_records(table, LoopConfig())] == ["Ada, and Ben"]
    path.write_text("id~text\n1~Ada, and Ben\n")
    table = open_source(str(path), delimiter="~")
    assert [r.text for r in parse_records(table, LoopConfig())] == ["Ada, and Ben"]
    with pytest.raises(DataError, match=r"--delimiter 'ab' is not one character"):
        open_source(str(path), delimiter="ab")


def test_a_quote_left_open_in_a_tsv_file_swallows_no_records(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_text('id\ttext\n1\t"Ada\n2\tBen\n3\tCarl"\n')
    with pytest.raises(DataError, match=r"x\.tsv, line 2: a value runs from a double quote over line ends and tabs"):
        list(parse_records(open_source(str(path)), LoopConfig()))


def test_a_file_without_the_annotation_that_is_wanted_is_refused(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"text": "a", "span": []}, {"text": "b"})
    with pytest.raises(DataError, match=r"x\.jsonl: no column 'spans'; there are: text.* --spans"):
        check(open_source(str(path)), LoopConfig(), "responses")
    assert check(open_source(str(path)), LoopConfig(), "nothing").records == 2


def test_an_empty_list_of_tokens_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"x\.csv, line 2: the text is empty"):
        read(csv(tmp_path, "id,text,spans\n1,[],[]\n"))
