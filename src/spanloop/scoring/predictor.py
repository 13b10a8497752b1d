"""A trained model in the hands of a program: texts in, exact spans out."""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Self, overload

from spanloop.config import ScoringConfig
from spanloop.errors import StoreError
from spanloop.records import ScoredSpan
from spanloop.scoring.scorer import Scorer
from spanloop.settings import whole_path
from spanloop.store import Store
from spanloop.store.contents import MARKER


class Predictor:
    """A loaded model; call it with a text or with several.

    Attributes:
        folder: The model's folder.
        labels: The labels that it knows.
    """

    def __init__(self, folder: Path, config: ScoringConfig) -> None:
        """Load a model folder.

        Raises:
            TrainingError: It is no model of spanloop, or cannot be loaded.
        """
        self.folder = folder
        self._scorer = Scorer.load(folder, config)
        self.labels = self._scorer.labels

    @classmethod
    def of(cls, place: str | PathLike[str], config: ScoringConfig) -> Self:
        """Load a model by its folder, or the one in service by the folder of its store.

        Raises:
            StoreError: The store has no model in service, or its files are not what was published.
            TrainingError: There is no model of spanloop, or it cannot be loaded.
        """
        folder = whole_path(Path(place))
        if not (folder / MARKER).is_file():
            return cls(folder, config)
        store = Store(folder)
        if (champion := store.champion()) is None:
            raise StoreError(f"{folder} has no model in service yet; 'spanloop run' says what it needs for one")
        store.verify("models", champion)
        return cls(store.path("models", champion), config)

    @overload
    def __call__(self, texts: str) -> list[ScoredSpan]: ...  # type: ignore[overload-overlap]  # a str is texts too

    @overload
    def __call__(self, texts: Iterable[str]) -> list[list[ScoredSpan]]: ...

    def __call__(self, texts: str | Iterable[str]) -> list[ScoredSpan] | list[list[ScoredSpan]]:
        """The spans of a text, or of each of several, which are read as they come and scored in batches.

        Args:
            texts: One text of any length, or several.

        Returns:
            Spans in code points of their text, in its order, with calibrated probabilities; those below the model's
            own bound, or `min_score` of the configuration, are left out.
        """
        if isinstance(texts, str):
            return self([texts])[0]
        numbered = ((str(number), text) for number, text in enumerate(texts))
        return [list(scored.spans) for scored in self._scorer.score(numbered)]
