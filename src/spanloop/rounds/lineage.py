"""Past models that stand on one learning curve: trained as the newest is, on fewer records."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import floor, log

from spanloop.errors import StoreError
from spanloop.rounds.identity import digest
from spanloop.store import Store
from spanloop.store.jsonl import read_json

_NEWEST, _MOST = 4, 8
_STEP = 1.4  # of older models, the last in each stretch of so many times the records
_OF_NO_WEIGHT = {"report_to", "num_processes", "seed"}


@dataclass(frozen=True, slots=True)
class PastModel:
    """One published model.

    Attributes:
        version: Its name.
        snapshot: The snapshot that it was trained on.
        records: Records that it learnt from.
        recipe: Hash of its settings and labels: models of another one stand on another curve.
    """

    version: str
    snapshot: str
    records: int
    recipe: str


def lineage(store: Store) -> list[PastModel]:
    """The newest model and those before it with the same settings and labels, oldest first.

    There are at most eight: the newest four, and of the older ones some that lie apart, so that a long loop's curve
    reaches back. Which ones does not change from round to round but for those that leave at the end.
    """
    models = list(_published(store))
    alike = [model for model in models if model.recipe == models[-1].recipe]
    older, newest = alike[:-_NEWEST], alike[-_NEWEST:]
    apart = {floor(log(model.records) / log(_STEP)): model for model in older}
    chosen = sorted(apart.values(), key=models.index)
    return [*chosen[-(_MOST - _NEWEST) :], *newest]


def _published(store: Store) -> Iterator[PastModel]:
    for version in store.names("models"):
        folder = store.path("models", version)
        try:
            training, about = read_json(folder / "training.json"), read_json(folder / "spanloop.json")
            settings = {name: value for name, value in training["config"].items() if name not in _OF_NO_WEIGHT}
            recipe = digest([settings, about["labels"]])
            yield PastModel(version, about["snapshot"], max(training["records"], 1), recipe)
        except (StoreError, TypeError, KeyError):
            continue  # damaged, or made by something else: the others tell the curve
