"""CoNLL files: tokens become text, tags become spans, documents become groups."""

from pathlib import Path

import pytest

from spanloop.config import ColumnsConfig, LoopConfig
from spanloop.errors import DataError
from spanloop.importing import Imported, open_source, parse_records
from spanloop.records import Span

FILE = """-DOCSTART- -X- -X- O

EU NNP B-NP B-ORG
rejects VBZ B-VP O
New JJ B-NP B-LOC
York JJ I-NP I-LOC

-DOCSTART- -X- -X- O

Peter NNP B-NP I-PER
"""


def read(folder: Path, text: str) -> list[Imported]:
    path = folder / "train.conll"
    path.write_text(text, encoding="utf-8")
    return list(parse_records(open_source(str(path)), LoopConfig(), annotated=True))


def test_sentences_spans_and_documents(tmp_path: Path) -> None:
    first, second = read(tmp_path, FILE)
    assert (first.text, second.text) == ("EU rejects New York", "Peter")
    assert first.spans == (Span(0, 2, "ORG"), Span(11, 19, "LOC"))
    assert second.spans == (Span(0, 5, "PER"),)
    assert (first.id, second.id) == ("train-1", "train-2")
    assert first.group != second.group


def test_a_wrong_tag_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"train\.conll, line 1, column 2: tag 'X-ORG'"):
        read(tmp_path, "EU X-ORG\n")


def test_what_the_columns_hold_is_said(tmp_path: Path) -> None:
    path = tmp_path / "train.conll"
    path.write_text(FILE)
    assert open_source(str(path)).notes == (
        f"{path}: tokens in column 1 of 4, IOB2 tags in 4; 1 tags that continue nothing start a span",
    )


ADA = ("Ada Lovelace in London", (Span(0, 12, "PER"), Span(16, 22, "LOC")))
ONE_WAY_OR_ANOTHER = {
    "a tab at each line's end": "Ada\tB-PER\t\nLovelace\tI-PER\t\nin\tO\t\nLondon\tB-LOC\t\n",
    "a tab at some lines' ends": "Ada\tB-PER\t\nLovelace\tI-PER\nin\tO\t\t\nLondon\tB-LOC\n",
    "numbers before the tokens": "1\tAda\tB-PER\n2\tLovelace\tI-PER\n3\tin\tO\n4\tLondon\tB-LOC\n",
    "an inner column without a name": "1\tAda\tB-PER\tO\n2\tLovelace\tI-PER\tO\n3\tin\tO\tO\n4\tLondon\tB-LOC\tO\n",
    "numbers from 0, blanks": "0 Ada B-PER\n1 Lovelace I-PER\n2 in O\n3 London B-LOC\n",
    "a document's name before the tokens": "d7 0 Ada B-PER\nd7 1 Lovelace I-PER\nd7 2 in O\nd7 3 London B-LOC\n",
    "the tag first": "B-PER\tAda\nI-PER\tLovelace\nO\tin\nB-LOC\tLondon\n",
    "a score after the tag": "Ada B-PER 0.9\nLovelace I-PER 0.8\nin O 1\nLondon B-LOC 0.7\n",
    "phrases before the tags": "Ada B-NP B-PER\nLovelace I-NP I-PER\nin B-PP O\nLondon B-NP B-LOC\n",
    "columns that say nothing": "Ada -X- _ B-PER\nLovelace -X- _ I-PER\nin -X- _ O\nLondon -X- _ B-LOC\n",
    "comments": "#\thttp://x.org\t[2009]\t-\t-\n# text = Ada\nAda\tB-PER\nLovelace\tI-PER\nin\tO\nLondon\tB-LOC\n",
    "blanks, several": "Ada   B-PER \n Lovelace I-PER\nin\tO\nLondon B-LOC",
    "BMES": "Ada B-PER\nLovelace E-PER\nin O\nLondon S-LOC\n",
}


@pytest.mark.parametrize("name", ONE_WAY_OR_ANOTHER)
def test_columns_are_found(name: str, tmp_path: Path) -> None:
    (record,) = read(tmp_path, ONE_WAY_OR_ANOTHER[name])
    assert (record.text, record.spans) == ADA


def test_columns_are_named_by_number(tmp_path: Path) -> None:
    path = tmp_path / "nested.conll"
    path.write_text("1\tAda\tB-PER\tO\n2\tHall\tI-PER\tO\n3\tLondon\tO\tB-LOC\n")
    with pytest.raises(
        DataError, match=r"nested\.conll: columns 3 and 4 hold tags; name one with --spans, e\.g\. --spa"
    ):
        open_source(str(path))

    def spans(**columns: str) -> object:
        named = ColumnsConfig(**columns)
        config = LoopConfig(columns=named)
        return [(r.text, r.spans) for r in parse_records(open_source(str(path), columns=named), config, annotated=True)]

    assert spans(spans="3") == [("Ada Hall London", (Span(0, 8, "PER"),))]
    assert spans(text="2", spans="4") == [("Ada Hall London", (Span(9, 15, "LOC"),))]
    with pytest.raises(DataError, match=r"there is no column 5; its lines have 4, counted from 1"):
        spans(spans="5")


def test_phrases_are_no_entities_even_where_there_are_none(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "Ada NNP B-NP O\nleft VBD B-VP O\n")
    assert record.spans == ()
    (record,) = read(tmp_path, "Ada NNP B-NP\nleft VBD B-VP\n")
    assert record.spans == (Span(0, 3, "NP"), Span(4, 8, "VP"))


def test_a_conll_file_under_the_name_of_a_table_is_known(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("Ada\tB-PER\nleft\tO\n")
    with pytest.raises(DataError, match=r"train\.tsv: its first line holds a tag and .* --format conll"):
        open_source(str(tmp_path / "train.tsv"))


def test_white_space_inside_a_token_belongs_to_it(tmp_path: Path) -> None:
    (record,) = read(tmp_path, "10\u00a0000 B-NUM\nNew\u2003York\u2028 B-LOC\n")
    assert record.text == "10\u00a0000 New\u2003York\u2028"
    (record,) = read(tmp_path, "New York\tB-LOC\nnow\tO\n")
    assert (record.text, record.spans) == ("New York now", (Span(0, 8, "LOC"),))


REFUSED = {
    "other numbers of columns": (
        "Ada NN B-PER\nin IN O\nNew York NN B-LOC\n",
        "line 3: the line has 4 columns, most h",
    ),
    "no tag": ("Ada\tB-PER\nin\t\nRome\tB-LOC\n", "line 2: 'in' is a token without a tag"),
    "an empty tag": ("Ada\tB-PER\tx\nin\t\tx\nof\tO\tx\nRome\tO\tx\n", "line 2, column 2: the tag is empty; write O"),
    "an empty token": ("Ada\tB-PER\n\tO\nRome\tB-LOC\n", "line 2, column 1: the token is empty"),
    "a range of tokens": ("1-2\tzum\tO\n1\tzu\tO\n2\tdem\tO\n3\tSee\tB-LOC\n", "line 1: 1-2 stands for several tokens"),
    "no name": ("Ada B-PER\nin O\nRome B-\n", "line 3, column 2: tag 'B-' is neither O nor like B-name"),
    "brackets": ("Ada (PER*\nHall *)\n", r"line 1, column 2: tag '\(PER\*' is neither"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_token_with_its_tag_is_refused_with_its_place(name: str, tmp_path: Path) -> None:
    text, message = REFUSED[name]
    with pytest.raises(DataError, match=rf"train\.conll, {message}") as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-x I-x O B-x B-x", "IOB2"),
        ("O", "IOB2"),
        ("I-x I-x B-x O I-x", "IOB1"),
        ("B-x I-x E-x S-x", "BIOES"),
        ("B-x I-x L-x U-x", "BILOU"),
        ("B-x O I-x O", "IOB2 tags in 2; 1 tags that continue nothing start a span"),
    ],
)
def test_the_scheme_is_told(tags: str, scheme: str, tmp_path: Path) -> None:
    path = tmp_path / "x.bio"
    path.write_text("".join(f"a {tag}\n" for tag in tags.split()))
    (note,) = open_source(str(path)).notes
    assert note in {
        f"{path}: tokens in column 1 of 2, {scheme}",
        f"{path}: tokens in column 1 of 2, {scheme} tags in 2",
    }
