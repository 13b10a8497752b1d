"""A project so small that a round takes seconds: invented sentences, a random encoder, a simulated annotator.

Its language drifts: every few weeks persons and places are called otherwise, so that models are trained for a reason
and some of them go into service.
"""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from transformers import BertConfig, BertModel

from benchmarks.random_models import word_pieces
from spanloop.argilla import ArgillaClient, DatasetRef, connect, ensure_dataset, pull
from spanloop.config import LoopConfig
from spanloop.importing import Imported
from spanloop.importing.upload import import_records
from spanloop.model.quiet import quiet_transformers
from spanloop.records import Span
from spanloop.rehearsal.annotator import SimulatedAnnotator, simulated_annotators

LABELS = ("person", "place")
_SYLLABLES = [a + b for a in "bdfgklmnprstv" for b in "aeiou"]
_CUES, _IN_USE, _DAYS_A_CUE = 60, 4, 10  # words that tell the labels; those of a day; days until one is replaced
_LEXICON = 400
_MOST_WORDS = 5


class Language:
    """Sentences of invented words.

    Args:
        seed: Of every choice; sentences of a day are the same for the same seed.
    """

    def __init__(self, seed: int = 0) -> None:
        random = Random(seed)
        self._seed = seed
        self.words = [_word(random) for _ in range(_LEXICON)]
        self._cues = {label: [_word(random) + label[-1] for _ in range(_CUES)] for label in LABELS}

    def sentences(self, day: int, count: int) -> list[Imported]:
        """Annotated sentences in the words of a day."""
        random = Random(f"{self._seed} {day}")
        return [self._sentence(f"{day}/{number}", day, random) for number in range(count)]

    def texts(self) -> list[str]:
        """Every word that there is, for a tokenizer."""
        return [" ".join(self.words), *(" ".join(cues) for cues in self._cues.values())]

    def _sentence(self, name: str, day: int, random: Random) -> Imported:
        text, spans = random.choice(self.words).capitalize(), list[Span]()
        first = day // _DAYS_A_CUE % (_CUES - _IN_USE)
        for label in random.choices(LABELS, k=random.choice((0, 1, 2))):
            cue = random.choice(self._cues[label][first : first + _IN_USE])
            marked = " ".join((cue, *random.sample(self.words, random.choice((0, 1))))).title()
            text += " "
            spans.append(Span(len(text), len(text) + len(marked), label))
            text += marked
            text += "".join(f" {word}" for word in random.sample(self.words, random.randint(1, _MOST_WORDS)))
        return Imported(name, name, text + ".", tuple(spans), name)


def _word(random: Random) -> str:
    return "".join(random.choices(_SYLLABLES, k=random.choice((2, 3))))


def write_encoder(folder: Path, language: Language) -> Path:
    """Write a random encoder of one small layer; returns its folder."""
    with quiet_transformers():
        tokenizer = word_pieces(language.texts(), 1500)
        sizes = {"hidden_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 128}
        BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=66, **sizes)).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def configuration(url: str, dataset: str, store: Path, encoder: Path) -> LoopConfig:
    """A configuration whose rounds are fast; retention and all else that lasts are the defaults."""
    training = {
        "model_name_or_path": str(encoder), "learning_rate": 1e-2, "num_train_epochs": 1, "min_steps": 30,
        "folds": 0, "max_length": 64, "stride": 16, "per_device_train_batch_size": 32,
    }  # fmt: skip
    tree = {
        "store": str(store),
        "argilla": {"api_url": url, "workspace": "year", "dataset": dataset},
        "task": {"labels": list(LABELS)},
        "splits": {"test": 0.25},
        "round": {"min_train": 10, "min_test": 3},
        "training": training,
        "gate": {"margin": 0.1, "max_risk": 0.2},  # test splits are small, and some models are to go into service
        "selection": {"held_out_share": 0.35},
    }
    return LoopConfig.model_validate(tree)


@dataclass(slots=True)
class Project:
    """One loop: its dataset in Argilla, and what only the annotator knows."""

    config: LoopConfig
    language: Language
    client: ArgillaClient
    dataset: DatasetRef
    gold: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    _annotator: SimulatedAnnotator | None = None

    @classmethod
    def begin(cls, config: LoopConfig, language: Language, records: int) -> "Project":
        """Make the dataset, with its first records."""
        client = connect(config)
        project = cls(config, language, client, ensure_dataset(client, config))
        project.grow(0, records)
        return project

    def grow(self, day: int, records: int) -> None:
        """Import the sentences of a day."""
        new = self.language.sentences(day, records)
        import_records(self.client, self.dataset, new, self.config)
        self.gold |= {sentence.id: sentence.spans or () for sentence in new}

    def annotate(self, records: int) -> int:
        """Let the simulated annotator submit the first records of its queue; returns how many it submitted."""
        if self._annotator is None:
            (client,) = simulated_annotators(self.client, self.dataset, 1)
            self._annotator = SimulatedAnnotator(client, self.dataset, self.gold)
        return self._annotator.annotate(records).submitted

    def delete_one(self) -> None:
        """Delete a record that waits, as an owner does with one that is of no use."""
        found = next((record for record in pull(self.client, self.dataset) if record.waits), None)
        if found:
            self.client.delete(f"records/{found.server_id}")
