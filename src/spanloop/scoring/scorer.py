"""Score any number of texts in one pass: tokenize ahead, run the model, read off spans and statistics.

Texts are read a chunk at a time, so memory does not grow with their number. While the model runs on one chunk, a
thread tokenizes the next; on a GPU the results of the chunk before are read off meanwhile.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spanloop.model.encoding import Encoded
from spanloop.model.folder import ModelFolder
from spanloop.model.layout import Layout, lay_out, owners_of, words_of
from spanloop.records import Example, ScoredSpan
from spanloop.scoring.decoding import DropoutPasses, decode_chunk
from spanloop.scoring.scored_text import ScoredText

if TYPE_CHECKING:
    from spanloop.config import ScoringConfig
    from spanloop.model.forward import Outputs
    from spanloop.scoring.loading import Loaded

_CHUNK_TEXTS = 1024
_CHUNK_CHARACTERS = 400_000
_ON_GPU = 4  # times as much: there the host's work counts, and a part of it is for the chunk and not for its texts


@dataclass(frozen=True, slots=True)
class _Chunk:
    ids: list[str]
    encoded: Encoded
    layout: Layout
    word: np.ndarray
    word_token: np.ndarray
    owners: np.ndarray | None


@dataclass(frozen=True, slots=True)
class _Running:
    chunk: _Chunk
    outputs: "Outputs"
    passes: "list[Outputs]"


class Scorer:
    """A model in service, scoring texts.

    Attributes:
        labels: The span labels that it knows, in the order of the tags.
    """

    def __init__(self, loaded: "Loaded", config: "ScoringConfig") -> None:
        """Score with a model that `loading` has made ready."""
        self.labels = list(loaded.folder.labels)
        self._loaded = loaded
        self._config = config

    @classmethod
    def load(cls, model_path: Path, config: "ScoringConfig") -> "Scorer":
        """Load a model folder; the first call imports PyTorch.

        Raises:
            TrainingError: The folder is no model, or cannot be loaded.
        """
        folder = ModelFolder.read(Path(model_path))
        from spanloop.scoring.loading import load_for_scoring

        return cls(load_for_scoring(folder, config), config)

    def score(self, texts: Iterable[tuple[str, str]], *, embeddings: bool = False) -> Iterator[ScoredText]:
        """Score texts as they come.

        Args:
            texts: `(id, text)`; any texts, also empty ones.
            embeddings: Also give each text's embedding.

        Yields:
            One result for every text, in the order of the texts, a chunk behind the reading of them.
        """
        running: _Running | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="tokenize") as thread:
            for chunk in self._ahead(thread, texts, embeddings):
                started = self._start(chunk)
                if running:
                    yield from self._finish(running)
                running = started
        if running:
            yield from self._finish(running)

    def _ahead(
        self, thread: ThreadPoolExecutor, texts: Iterable[tuple[str, str]], embeddings: bool
    ) -> Iterator[_Chunk]:
        waiting: Future[_Chunk] | None = None
        times = 1 if self._loaded.forward.device.type == "cpu" else _ON_GPU
        for rows in chunks(texts, times * _CHUNK_TEXTS, times * _CHUNK_CHARACTERS):
            submitted = thread.submit(self._prepare, rows, embeddings)
            if waiting:
                yield waiting.result()
            waiting = submitted
        if waiting:
            yield waiting.result()

    def _prepare(self, rows: Sequence[tuple[str, str]], embeddings: bool) -> _Chunk:
        encoder, forward = self._loaded.encoder, self._loaded.forward
        encoded = encoder.encode([text for _, text in rows])
        layout = lay_out(encoded, encoder.prefix, encoder.suffix, forward.budget, padding=forward.padding)
        owners = owners_of(encoded, layout) if embeddings else None
        return _Chunk([record_id for record_id, _ in rows], encoded, layout, *words_of(encoded, layout.subword), owners)

    def _start(self, chunk: _Chunk) -> _Running:
        forward, config = self._loaded.forward, self._config
        given = chunk.layout, chunk.word_token
        outputs = forward.run(*given, chunk.owners, len(chunk.ids))
        passes = [forward.run(*given, dropout_seed=seed) for seed in range(config.mc_dropout_passes)]
        return _Running(chunk, outputs, passes)

    def _finish(self, running: _Running) -> Iterator[ScoredText]:
        chunk, folder = running.chunk, self._loaded.folder
        passes = DropoutPasses()
        for output in running.passes:
            passes.add(_in_order(output, chunk.word))
        logits = _in_order(running.outputs, chunk.word)
        least = self._config.min_score or folder.min_score
        decoded = decode_chunk(chunk.encoded, logits, self.labels, scale=folder.scale, min_score=least, passes=passes)
        embeddings = _means(running.outputs, chunk) if chunk.owners is not None else [None] * len(chunk.ids)
        yield from map(ScoredText, chunk.ids, decoded.spans, decoded.statistics, embeddings)


def predict(model_path: Path, examples: Iterable[Example], config: "ScoringConfig") -> dict[str, list[ScoredSpan]]:
    """The spans that a model finds in examples.

    Args:
        model_path: A model folder.
        examples: Texts; their own spans are not looked at.
        config: How to score.

    Returns:
        The spans of each example by its id.

    Raises:
        TrainingError: The folder is no model, or cannot be loaded.
    """
    plain = config.model_copy(update={"mc_dropout_passes": 0})
    scorer = Scorer.load(model_path, plain)
    return {scored.id: list(scored.spans) for scored in scorer.score((e.id, e.text) for e in examples)}


def chunks(texts: Iterable[tuple[str, str]], most_texts: int, most_characters: int) -> Iterator[list[tuple[str, str]]]:
    """Cut a stream of texts into lists of bounded size; a text longer than the bound ends its list.

    Args:
        texts: `(id, text)`.
        most_texts: Texts in a list.
        most_characters: Characters after which a list ends.
    """
    rows: list[tuple[str, str]] = []
    characters = 0
    for row in texts:
        rows.append(row)
        characters += len(row[1])
        if len(rows) >= most_texts or characters >= most_characters:
            yield rows
            rows, characters = [], 0
    if rows:
        yield rows


def _in_order(outputs: "Outputs", word: np.ndarray) -> np.ndarray:
    """Logits in the order of the words."""
    logits = outputs.logits
    ordered = np.empty_like(logits)
    ordered[word] = logits
    return ordered


def _means(outputs: "Outputs", chunk: _Chunk) -> list[np.ndarray]:
    assert outputs.sums is not None
    counts = np.maximum(np.diff(chunk.encoded.text_subwords), 1)
    return list((outputs.sums / counts[:, None]).astype(np.float32))
