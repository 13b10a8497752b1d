"""The same three records in every format that can be read."""

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spanloop.records import Span

# The text as tokens, their tags, the spans that these say.
RECORDS = [
    ("doc1", ["Anna", "Lee", "left", "😀", "Rome"], ["B-person", "I-person", "O", "O", "B-place"]),
    ("doc1", ["Nobody"], ["O"]),
    ("doc2", ["Zoë", "Lund"], ["B-person", "I-person"]),
]
EXPECTED = [
    ("Anna Lee left 😀 Rome", (Span(0, 8, "person"), Span(16, 20, "place"))),
    ("Nobody", ()),
    ("Zoë Lund", (Span(0, 8, "person"),)),
]


def rows():
    return [
        {"id": str(i), "group": group, "text": text, "spans": [[s.start, s.end, s.label] for s in spans]}
        for i, ((group, _, _), (text, spans)) in enumerate(zip(RECORDS, EXPECTED, strict=True))
    ]


def delimited(delimiter: str) -> str:
    cells = [
        [row["id"], row["group"], row["text"], '"' + json.dumps(row["spans"]).replace('"', '""') + '"']
        for row in rows()
    ]
    return "\n".join(delimiter.join(line) for line in [list(rows()[0]), *cells]) + "\n"


def conll() -> str:
    sentences = ["".join(f"{t}\t{tag}\n" for t, tag in zip(tokens, tags, strict=True)) for _, tokens, tags in RECORDS]
    start = "-DOCSTART-\tO\n\n"
    return start + "\n".join(sentences[:2]) + "\n" + start + sentences[2]


def dataset(path: Path) -> None:
    from datasets import Dataset, DatasetDict

    parts = [{**row, "spans": json.dumps(row["spans"])} for row in rows()]
    DatasetDict({"train": Dataset.from_list(parts)}).save_to_disk(path)


def parquet(path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{**row, "spans": json.dumps(row["spans"])} for row in rows()]), path)


def lines(*objects: object) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects)


def prodigy() -> str:
    spans = [
        [{"start": s, "end": e, "label": label, "token_start": 0, "token_end": 1} for s, e, label in row["spans"]]
        for row in rows()
    ]
    return lines(*(row | {"spans": s, "answer": "accept"} for row, s in zip(rows(), spans, strict=True)))


def label_studio() -> str:
    def region(text: str, start: int, end: int, label: str) -> dict[str, object]:
        value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
        return {"value": value, "from_name": "label", "to_name": "text", "type": "labels"}

    return json.dumps(
        [
            {
                "id": int(row["id"]),
                "data": {"text": row["text"], "group": row["group"]},
                "annotations": [{"result": [region(row["text"], *s) for s in row["spans"]], "was_cancelled": False}],
            }
            for row in rows()
        ],
        indent=1,
    )


def brat(path: Path) -> None:
    for row in rows():
        folder = path / row["group"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row['id']}.txt").write_text(row["text"], encoding="utf-8")
        marks = [
            f"T{number}\t{label} {start} {end}\t{row['text'][start:end]}\n"
            for number, (start, end, label) in enumerate(row["spans"], start=1)
        ]
        (folder / f"{row['id']}.ann").write_text("".join(marks), encoding="utf-8")


SAMPLES: dict[str, str | Callable[[Path], None]] = {
    "brat": brat,
    "conll": conll(),
    "csv": delimited(","),
    "doccano": lines(*({"id": r["id"], "group": r["group"], "text": r["text"], "label": r["spans"]} for r in rows())),
    "hub": dataset,
    "jsonl": lines(*rows()),
    "label-studio": label_studio(),
    "parquet": parquet,
    "prodigy": prodigy(),
    "spacy": lines(*({"group": r["group"], "text": r["text"], "entities": r["spans"]} for r in rows())),
    "tsv": delimited("\t"),
}
"""The records in each format: a text, or what writes a file or a folder. A reader without a sample here fails."""
