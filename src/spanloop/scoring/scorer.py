"""Score any number of texts in one pass: tokenize ahead, run the model, read off spans and statistics.

On a GPU the results of one chunk of texts are read off while the model runs on the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spanloop.model.folder import ModelFolder
from spanloop.records import Example, ScoredSpan
from spanloop.scoring.decoding import DropoutPasses, decode_chunk
from spanloop.scoring.reading import Chunk, read_ahead
from spanloop.scoring.scored_text import ScoredText

if TYPE_CHECKING:
    from spanloop.config import ScoringConfig
    from spanloop.model.forward import Outputs
    from spanloop.scoring.loading import Loaded


@dataclass(frozen=True, slots=True)
class _Running:
    chunk: Chunk
    outputs: "Outputs"
    passes: "list[Outputs]"


class Scorer:
    """A model in service, scoring texts.

    Attributes:
        labels: The span labels that it knows, in the order of the tags.
    """

    def __init__(self, loaded: "Loaded", config: "ScoringConfig") -> None:
        """Score with a model that `loading` has made ready."""
        self.labels = list(loaded.folder.scheme.labels)
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

    def score(self, texts: Iterable[tuple[str, str]]) -> Iterator[ScoredText]:
        """Score texts as they come.

        Args:
            texts: `(id, text)`; any texts, also empty ones.

        Yields:
            One result for every text, in the order of the texts, a chunk behind the reading of them.
        """
        running: _Running | None = None
        for chunk in read_ahead(texts, self._loaded.encoder, self._loaded.forward):
            started = self._start(chunk)
            if running:
                yield from self._finish(running)
            running = started
        if running:
            yield from self._finish(running)

    def _start(self, chunk: Chunk) -> _Running:
        forward, config = self._loaded.forward, self._config
        given = chunk.layout, chunk.word_token
        passes = [forward.run(*given, dropout_seed=seed) for seed in range(config.mc_dropout_passes)]
        return _Running(chunk, forward.run(*given), passes)

    def _finish(self, running: _Running) -> Iterator[ScoredText]:
        chunk, folder = running.chunk, self._loaded.folder
        passes = DropoutPasses(folder.scheme)
        for output in running.passes:
            passes.add(_in_order(output, chunk.word))
        logits = _in_order(running.outputs, chunk.word)
        least = self._config.min_score or folder.min_score
        decoded = decode_chunk(chunk.encoded, logits, folder.scheme, scale=folder.scale, min_score=least, passes=passes)
        yield from map(ScoredText, chunk.ids, decoded.spans, decoded.statistics)


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


def _in_order(outputs: "Outputs", word: np.ndarray) -> np.ndarray:
    """Logits in the order of the words."""
    logits = outputs.logits
    ordered = np.empty_like(logits)
    ordered[word] = logits
    return ordered
