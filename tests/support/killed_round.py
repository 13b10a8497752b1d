"""Run the steps of the flow without a server, in child processes that kill themselves with SIGKILL at given points.

    python killed_round.py OUT.json CONFIG.json,POINT,POINT,… CONFIG.json

A point is `before:TASK`, `after:TASK`, or one of `FIRSTS` and `MIDDLES`. One child a point, then one that runs to the
end. Imports are made once: every child is a fork.
"""

import gc
import json
import os
import signal
import sys
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
FIRSTS = (*RENEWED, "middle:keep-splits")  # of a first round; what is kept is not kept again
MIDDLES = (
    "middle:publish-model",
    "middle:promotion",
    "middle:bulk-write",
    "middle:withdrawal",
    "middle:publish-round",
)


def main(out: str, *worlds: str) -> None:
    """Kill children and let the last one finish, world by world; writes how each ended and the last reports.

    Args:
        out: The JSON file to write: one entry a world.
        worlds: `CONFIG.json` or `CONFIG.json,POINT,POINT,…`.
    """
    from spanloop.config import LoopConfig

    if any("," in world for world in worlds):
        import_before_forking()
    answers = []
    for world in worlds:
        config_file, *points = world.split(",")
        config = LoopConfig.model_validate_json(Path(config_file).read_text())
        ends = [child(lambda point=point, config=config: take_round(config, point, out)) for point in (*points, "")]
        answers.append({"ends": ends, "report": json.loads(Path(out).read_text())})
    Path(out).write_text(json.dumps(answers))


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


def take_round(config: Any, point: str, out: str) -> None:
    """Run the flow's steps, up to a point if one is given, and write the report of a round that ends."""
    from prefect import Task

    from flows import active_learning as module
    from tasks import steps, ui

    def reach(name: str) -> None:
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

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
    report = module.active_learning.fn(config).data
    Path(out).write_text(report.model_dump_json())


def _kill_in_the_middle(reach: Callable[[str], None]) -> None:
    """Die right after an effect, before anybody took note of it."""
    from spanloop.argilla.client import ArgillaClient
    from spanloop.rounds import closing, holding, models
    from spanloop.store import Store
    from spanloop.store.binding import Binding
    from spanloop.store.groups import Groups

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
    then(models, "_copy_model", "middle:publish-model")
    then(Store, "set_champion", "middle:promotion")
    then(ArgillaClient, "put", "middle:bulk-write", lambda client, path, *rest: path.endswith("/bulk"))
    then(ArgillaClient, "delete", "middle:withdrawal")
    then(closing, "_fill", "middle:publish-round")


if __name__ == "__main__":
    main(*sys.argv[1:])
