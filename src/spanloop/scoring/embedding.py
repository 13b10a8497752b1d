"""Texts as vectors, from the encoder that training starts from: which texts are alike, without a trained model.

The encoder stays the same from round to round, so that a text is embedded once, and annotated and pending ones can be
compared.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spanloop.errors import SpanloopError, TrainingError, first_line
from spanloop.model.layout import owners_of
from spanloop.scoring.reading import read_ahead

if TYPE_CHECKING:
    from spanloop.config import ScoringConfig, TrainingConfig

Halves = npt.NDArray[np.float16]

DIMENSIONS = 384


def embed(
    texts: Iterable[tuple[str, str]], training: "TrainingConfig", config: "ScoringConfig"
) -> Iterator[tuple[str, Halves]]:
    """Embed texts as they come; the first call imports PyTorch.

    Args:
        texts: `(id, text)`; any texts, also empty ones.
        training: Names the encoder, and how long texts are cut.
        config: Names the budget of a batch.

    Yields:
        The id and the vector of every text, in the order of the texts: the mean of its subwords' last hidden states as
        a unit vector, of shape (384,); zeros for a text without any subword. Narrower encoders are filled up with
        zeros; wider ones are projected at random, which keeps distances (Johnson and Lindenstrauss, 1984).

    Raises:
        TrainingError: The encoder cannot be loaded or used.
    """
    try:
        for ids, sums in _sums(texts, training, config):
            yield from zip(ids, _narrowed(sums), strict=True)
    except SpanloopError:
        raise
    except Exception as error:  # an architecture of unknown make may raise anything
        name, reason = training.model_name_or_path, first_line(error)
        raise TrainingError(f"encoder {name!r} cannot be used ({reason}); check training.model_name_or_path") from None


def _sums(
    texts: Iterable[tuple[str, str]], training: "TrainingConfig", config: "ScoringConfig"
) -> Iterator[tuple[list[str], npt.NDArray[np.float32]]]:
    """Of each chunk the ids, and the sums of the texts' last hidden states."""
    from spanloop.scoring.loading import load_encoder

    encoder, forward = load_encoder(training, config)
    no_words = np.empty(0, dtype=np.int64)
    for chunk in read_ahead(texts, encoder, forward):
        outputs = forward.run(chunk.layout, no_words, owners_of(chunk.encoded, chunk.layout), len(chunk.ids))
        assert outputs.sums is not None
        yield chunk.ids, outputs.sums


def _narrowed(sums: npt.NDArray[np.float32]) -> Halves:
    width = sums.shape[1]
    if width > DIMENSIONS:
        sums = sums @ np.random.default_rng(0).standard_normal((width, DIMENSIONS)).astype(np.float32)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    unit = sums / np.where(lengths > 0, lengths, 1)
    return np.pad(unit, ((0, 0), (0, max(DIMENSIONS - width, 0)))).astype(np.float16)
