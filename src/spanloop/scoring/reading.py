"""Texts on their way into a model: a chunk at a time, so that memory does not grow with their number, tokenized ahead.

While the model runs on one chunk, a thread tokenizes the next.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spanloop.model.encoding import Encoded, Encoder
from spanloop.model.layout import Layout, lay_out, words_of
from spanloop.model.ragged import Ints

if TYPE_CHECKING:
    from spanloop.model.forward import Forward

_CHUNK_TEXTS = 1024
_CHUNK_CHARACTERS = 400_000
_ON_GPU = 4  # times as much: there the host's work counts, and a part of it is for the chunk and not for its texts


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the texts, ready for the model.

    Attributes:
        ids: The id of each.
        encoded: The texts as subwords.
        layout: The forward passes.
        word: Indices of the words, in the order of the tokens that decide them, `(n_words,)`.
        word_token: Those tokens, `(n_words,)`.
    """

    ids: list[str]
    encoded: Encoded
    layout: Layout
    word: Ints
    word_token: Ints


def read_ahead(texts: Iterable[tuple[str, str]], encoder: Encoder, forward: "Forward") -> Iterator[Chunk]:
    """Cut a stream of texts into chunks, one of them tokenized ahead.

    Args:
        texts: `(id, text)`.
        encoder: The model's tokenizer.
        forward: What runs the model: its budget and padding decide the layout.
    """

    def prepare(rows: Sequence[tuple[str, str]]) -> Chunk:
        encoded = encoder.encode([text for _, text in rows])
        layout = lay_out(encoded, encoder.prefix, encoder.suffix, forward.budget, padding=forward.padding)
        return Chunk([record_id for record_id, _ in rows], encoded, layout, *words_of(encoded, layout.subword))

    waiting: Future[Chunk] | None = None
    times = 1 if forward.device.type == "cpu" else _ON_GPU
    with ThreadPoolExecutor(1, thread_name_prefix="tokenize") as thread:
        for rows in chunks(texts, times * _CHUNK_TEXTS, times * _CHUNK_CHARACTERS):
            submitted = thread.submit(prepare, rows)
            if waiting:
                yield waiting.result()
            waiting = submitted
        if waiting:
            yield waiting.result()


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
