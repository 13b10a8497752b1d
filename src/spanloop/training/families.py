"""Which families of encoders can be trained; any other is refused before training, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transformers import MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING, PretrainedConfig

from spanloop.errors import TrainingError, first_line
from spanloop.model.exhaustion import no_room, out_of_memory
from spanloop.model.forward import Forward
from spanloop.model.probe import probe
from spanloop.training import attention


def fit_config(config: PretrainedConfig) -> None:
    """Make an encoder's configuration fit to train.

    BigBird gets full attention: its sparse one depends on the longest text of a batch, and transformers turns it off
    for good at the first short one.

    Raises:
        TrainingError: Transformers has no token classifier of this family.
    """
    if type(config) not in MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING:
        raise _refusal(config.model_type, "transformers has no token classifier of them")
    if getattr(config, "attention_type", "") == "block_sparse":
        config.attention_type = "original_full"


def vocabulary(model: Any) -> Any:
    """The layer that holds a row for each token of the vocabulary.

    Raises:
        TrainingError: The family has no vocabulary.
    """
    try:
        return model.get_input_embeddings()
    except NotImplementedError:
        raise _refusal(model.config.model_type, "they have no vocabulary") from None


def try_out(forward: Forward, lengths: tuple[int, int], *, exact: bool) -> None:
    """Let an encoder learn from two windows as training will; it packs windows from then on if it can.

    Raises:
        TrainingError: It cannot, or the device is too small.
    """
    with refused_if_unable(forward.model.config.model_type, max(lengths)):
        probe(forward, lengths, attention.NAME, exact=exact, trains=True)


@contextmanager
def refused_if_unable(family: str, length: int) -> Iterator[None]:
    """Say in one line that an encoder cannot do what is tried with it, on windows of a length.

    Raises:
        TrainingError: It cannot, or the device is too small.
    """
    try:
        yield
    except Exception as error:  # an architecture of unknown make may raise anything
        if out_of_memory(error):
            raise no_room(length) from None
        raise _refusal(family, first_line(error)) from None


def _refusal(family: str, reason: str) -> TrainingError:
    return TrainingError(
        f"encoders of type {family} cannot be trained ({reason}); choose another, such as BERT, RoBERTa or DeBERTa"
    )
