"""spanloop: an active-learning loop for span annotation that a team can leave running.

The rooms, each above those that it may use (import rules hold the order):

    cli             the command line
    rehearsal       the loop with a simulated annotator
    doctor          is everything as a round needs it, and what can be mended
    reports         rounds in words, tables and pictures
    rounds          one round, step by step
    training        a token classifier from a snapshot
    services        Argilla, Prefect and a worker, up and down together
    snapshot        immutable versions of the data set
    importing       files of many formats into Argilla
    local_argilla   the real Argilla server on this machine, with a search engine of ours
    annotations     what people answered becomes one annotation
    argilla         the door to Argilla
    scoring         from texts to spans with probabilities
    selection       which pending record comes first
    model           how a model reads text and answers
    evaluation      how good a model is, and which one serves
    store           what rounds publish, whole or not at all
    processes       child processes and their ends
    installing      packages into an environment, by uv or pip
    spans, settings, words, records, durable, config, errors    the words of the project, files replaced whole

A model from Python, by its folder or by that of a store, which means the one in service:

    import spanloop
    model = spanloop.load("store")
    model("Ada Lovelace met Charles Babbage in London.")

The library from Python, in a folder with a `spanloop.yaml` and a round behind it:

    from pathlib import Path

    import spanloop
    from spanloop.settings import load_config
    from spanloop.snapshot import read_examples
    from spanloop.store import Store
    from spanloop.training import train

    config = load_config()
    store = Store(config.store)
    snapshot = store.path("snapshots", store.names("snapshots")[-1])
    print(len(read_examples(snapshot, "train")), "training records in", snapshot.name)

    result = train(snapshot, config.training, Path("model"))
    model = spanloop.load("model", config.scoring)
    print(model("Ada Lovelace met Charles Babbage in London."), f"after {result.seconds:.0f} seconds")
"""

from os import PathLike
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanloop.config import ScoringConfig
    from spanloop.scoring.predictor import Predictor

__version__ = "0.1.0"


def load(folder: str | PathLike[str], config: "ScoringConfig | None" = None) -> "Predictor":
    """Load a model for use in a program; PyTorch is imported now, not before.

    Args:
        folder: A model folder, or a store, whose model in service is meant.
        config: How to score; None: as by default.

    Returns:
        What gives the spans of a text, as a list of `ScoredSpan`, and of several texts, as a list of such lists.

    Raises:
        StoreError: The store has no model in service, or its files are not what was published.
        TrainingError: There is no model of spanloop, or it cannot be loaded.
    """
    from spanloop.config import ScoringConfig
    from spanloop.scoring.predictor import Predictor

    return Predictor.of(folder, config or ScoringConfig())
