"""Run the steps of the flow without a server, and tell of each point between them and in the middle of their effects.

A point is `before:TASK`, `after:TASK`, or one of `FIRSTS`, `MIDDLES` and `MENDED`.
"""

import gc
import os
import signal
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

STEPS = (
    "pull",
    "annotations",
    "news",
    "snapshot",
    "train",
    "evaluate",
    "gate",
    "score",
    "prioritise",
    "log",
    "outlook",
    "close",
)
RENEWED = ("middle:bind", "middle:lease")  # of every round
FIRSTS = (*RENEWED, "middle:keep-splits", "middle:embeddings")  # of a first round; what is kept is not kept again
MIDDLES = (
    "middle:publish-snapshot",
    "middle:checkpoint",
    "middle:evidence",
    "middle:publish-model",
    "middle:name-challenger",
    "middle:predictions",
    "middle:promotion",
    "middle:scores",
    "middle:bulk-write",
    "middle:withdrawal",
    "middle:vectors",
    "middle:vectors-noted",
    "middle:publish-round",
    "middle:discard",
)
MENDED = ("middle:prune", "middle:pass-over", "middle:aside")  # of a round after which things are gone or damaged


def import_before_forking() -> None:
    """What takes seconds to import or to look up, once for all children; nothing of it starts a thread."""
    for name in (
        "flows.active_learning",
        "accelerate",
        "datasets",
        "nervaluate",
        "spanloop.evaluation.seqeval_strict.seqeval_strict",
        "spanloop.scoring.loading",
        "spanloop.training.job",
        "transformers.models.bert.modeling_bert",
        "transformers.models.auto.modeling_auto",
        "transformers.models.auto.tokenization_auto",
    ):
        import_module(name)
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    from spanloop.model.surface import surface_classes
    from spanloop.words import split_words

    get_checkpoint_conversion_mapping("bert")
    words = split_words(text := "Zoë")
    surface_classes([text], *np.array(words).T, ["case"])
    gc.freeze()  # what all children share stays so: none collects it


def child(work: Callable[[], None]) -> int:
    """Do the work in a fork; returns its exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def die_at(point: str) -> Callable[[str], None]:
    """What kills this process with SIGKILL once it is told that the point, if there is one, is reached."""

    def reach(name: str) -> None:
        if name and name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return reach


def take_round(config: Any, out: str, reach: Callable[[str], None], again: bool = False) -> None:
    """Run the flow's steps, and write the report of a round that ends.

    Args:
        config: The loop's configuration.
        out: The JSON file to write.
        reach: Told of each point as it is reached.
        again: Run also when nothing is new.
    """
    from prefect import Task

    from flows import active_learning as module
    from tasks import steps, ui

    def plain(task: Any) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            reach(f"before:{task.name}")
            result = task.fn(*args)
            reach(f"after:{task.name}")
            return result

        return call

    for name, value in list(vars(module).items()):
        if isinstance(value, Task):
            setattr(module, name, plain(value))
    ui.ProgressBar._update = lambda self, percent: None  # type: ignore[method-assign]
    steps.show_scores = steps.show_summary = lambda *shown: None  # type: ignore[assignment]
    _kill_in_the_middle(reach)
    report = module.active_learning.fn(config, again).data
    Path(out).write_text(report.model_dump_json())


def _kill_in_the_middle(reach: Callable[[str], None]) -> None:
    """Die right after an effect, before anybody took note of it."""
    from spanloop.argilla.client import ArgillaClient
    from spanloop.rounds import closing, find_similar, holding, models, vectorbook
    from spanloop.rounds.scorebook import ScoreBook
    from spanloop.snapshot import versions
    from spanloop.store import Store, artifacts
    from spanloop.store.binding import Binding
    from spanloop.store.champion import Champion
    from spanloop.store.groups import Groups
    from spanloop.training import job
    from spanloop.training.checkpoint import Checkpoint

    def then(owner: Any, name: str, point: str, when: Callable[..., bool] = lambda *args: True) -> None:
        before = getattr(owner, name)

        def call(*args: Any, **options: Any) -> Any:
            result = before(*args, **options)
            if when(*args):
                reach(point)
            return result

        setattr(owner, name, call)

    then(Binding, "write", "middle:bind")
    then(holding, "write_lease", "middle:lease")
    then(Groups, "write", "middle:keep-splits")
    then(versions, "write_splits", "middle:publish-snapshot")
    then(Checkpoint, "finish", "middle:checkpoint")
    then(job, "write_evidence", "middle:evidence")
    then(models, "_copy_model", "middle:publish-model")
    then(models, "name_challenger", "middle:name-challenger")
    then(models, "write_json", "middle:predictions", lambda path, *rest: "-test-" in path.name)
    then(Store, "set_champion", "middle:promotion")
    then(ScoreBook, "add", "middle:scores")
    then(vectorbook, "_append", "middle:embeddings")
    then(ArgillaClient, "put", "middle:bulk-write", lambda client, path, *rest: path.endswith("/bulk"))
    then(ArgillaClient, "delete", "middle:withdrawal")
    then(find_similar, "ensure_vectors", "middle:vectors")
    then(find_similar, "write_vectors", "middle:vectors-noted")
    then(closing, "_fill", "middle:publish-round")
    then(closing, "discard", "middle:discard")
    then(artifacts, "take_away", "middle:prune")
    then(Champion, "roll_back", "middle:pass-over")
    then(Store, "set_aside", "middle:aside")
