"""Write a complete model folder: weights, tokenizer, `spanloop.json`, training log, model card."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanloop.errors import StoreError
from spanloop.model.quiet import quiet_transformers
from spanloop.model.tag_scheme import TagScheme
from spanloop.training.outcome import TrainResult
from spanloop.training.plain import FIRST, SIMPLE

if TYPE_CHECKING:
    from spanloop.config import TrainingConfig

_CARD = """\
---
library_name: transformers
pipeline_tag: token-classification
tags: [spanloop, token-classification]
base_model: {base}
---

# Span model from snapshot {snapshot}

Marks {labels} in text. Fine-tuned by spanloop from `{base}` on snapshot `{snapshot}`.

| | |
|---|---|
| records | {records} |
| exact-span F1, out of fold | {f1} |
| update steps | {steps} |
| precision, device | {precision}, {device} |
| calibration of log-odds | {slope:.2f} x {offset:+.2f} |
| least score of a suggestion | {min_score:.2f} |
| window, overlap | {max_length}, {stride} tokens |

`spanloop.json` holds what is needed to read spans off this model: the order of the labels, the window, the line
that calibrates the probabilities of spans, and the score below which a span is better not suggested. Words are split by
`spanloop.words.split_words`; a word's tag is read off its first subword; only tag sequences that are valid IOB2 are
decoded.

    import spanloop
    model = spanloop.load("this folder")
    model("A text.")  # spans with start, end, label, score; a list of texts gives a list of such lists
{judged}{overlapping}{surface}{plain}
"""
_OVERLAPPING = """
Spans of different labels may overlap: each label has three outputs of its own, `O-label`, `B-label` and `I-label`,
with a softmax of their own, and tag sequences are decoded label by label. A plain token-classification pipeline takes
one tag a word among all outputs, so it cannot read this model.
"""
_JUDGED = """
F1 counts what {} models suggest, each for the records that it did not learn from. Calibration and least score were
fitted on the same spans, and on none of the test's; both are raised a little, as this model learned from all records.
"""
_SURFACE = """
The tokenizer drops something of the text's surface ({}), so the token types carry it, as
`spanloop.model.surface` says; a program that leaves the token types at 0 reads every text as if it had no capitals, and
white space around every word.
"""
_PLAIN = """
A plain `transformers.pipeline("token-classification")` reads the same weights otherwise: exact-span F1 {simple:.4f}
with `aggregation_strategy="simple"` and {first:.4f} with `"first"`, where `spanloop.load` has {ours:.4f}, on {records}
of these records. It takes each subword's likeliest tag by itself, leaves the token types at 0 and no span out; a text
that is too long for the encoder it cuts or refuses.
"""


def save_model(
    out: Path,
    model: Any,
    tokenizer: Any,
    *,
    scheme: TagScheme,
    max_length: int,
    surface_features: Sequence[str],
    snapshot: str,
    base: str,
    config: "TrainingConfig",
    result: TrainResult,
    records: int,
) -> None:
    """Write the model folder.

    Args:
        out: The folder; files of that name in it are replaced.
        model: The token classifier.
        tokenizer: Its tokenizer.
        scheme: The tags that it tells apart.
        max_length: Tokens a window.
        surface_features: What the model reads of the words' surface as token types.
        snapshot: Version that it was trained on.
        base: The encoder that it started from.
        config: How it was trained.
        result: What training reported.
        records: Records that it learnt from.

    Raises:
        StoreError: The folder cannot be written.
    """
    about = {
        "labels": list(scheme.labels),
        "overlapping": scheme.overlapping,
        "label_subwords": config.label_subwords,
        "max_length": max_length,
        "stride": min(config.stride, max_length // 2),
        "score_slope": result.score_slope,
        "score_offset": result.score_offset,
        "min_score": result.min_score,
        "surface_features": list(surface_features),
        "snapshot": snapshot,
        "base": base,
    }
    training = {"config": config.model_dump(), "result": result.to_dict(), "records": records}
    try:
        with quiet_transformers():
            model.save_pretrained(out, safe_serialization=True)
            tokenizer.save_pretrained(out)
        _write(out / "spanloop.json", json.dumps(about, indent=2, ensure_ascii=False) + "\n")
        _write(out / "training.json", json.dumps(training, indent=2, ensure_ascii=False) + "\n")
        _write(out / "README.md", _card(about, result, records))
    except OSError as error:
        raise StoreError(f"model folder {out} cannot be written ({error.strerror or error}); free some space") from None


def _card(about: dict[str, Any], result: TrainResult, records: int) -> str:
    f1 = "not measured" if result.out_of_fold_f1 is None else f"{result.out_of_fold_f1:.4f}"
    return _CARD.format(
        base=about["base"],
        snapshot=about["snapshot"],
        labels=", ".join(f"`{label}`" for label in about["labels"]),
        records=records,
        f1=f1,
        steps=result.steps,
        precision="fp32" if result.precision == "no" else result.precision,
        device=result.device,
        judged=_JUDGED.format(result.folds) if result.folds else "",
        overlapping=_OVERLAPPING if about["overlapping"] else "",
        surface=_SURFACE.format(", ".join(features)) if (features := about["surface_features"]) else "",
        plain=_plain(result),
        slope=result.score_slope,
        offset=result.score_offset,
        min_score=result.min_score,
        max_length=about["max_length"],
        stride=about["stride"],
    )


def _plain(result: TrainResult) -> str:
    """What a plain pipeline loses; empty where it was not measured."""
    if not result.plain_f1:
        return ""
    figures = {"ours": result.plain_ours, "records": result.plain_records}
    return _PLAIN.format(simple=result.plain_f1[SIMPLE], first=result.plain_f1[FIRST], **figures)


def _write(path: Path, content: str) -> None:
    path.write_text(content, encoding="utf-8")
