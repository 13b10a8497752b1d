"""Kill -9 at every step boundary, and in the middle of every effect: running again ends in the same state."""

from collections.abc import Callable, Sequence
from typing import Any

from converged import assert_converged
from forked_rounds import Ended, ForkedRounds
from killed_round import FIRSTS, MENDED, MIDDLES, RENEWED, STEPS
from sentences import sentences
from world import World

from spanloop.argilla import Scored, write_suggestions
from spanloop.argilla.sending import IMPORT_AGENT
from spanloop.records import Suggestion

POINTS = [
    "before:pull",
    "middle:bind",
    "middle:lease",
    "after:pull",
    "after:annotations",
    "after:news",
    "middle:publish-snapshot",
    "after:snapshot",
    "middle:checkpoint",
    "middle:evidence",
    "middle:publish-model",
    "middle:name-challenger",
    "after:train",
    "middle:predictions",
    "after:evaluate",
    "middle:promotion",
    "after:gate",
    "middle:scores",
    "after:score",
    "after:prioritise",
    "middle:bulk-write",
    "middle:withdrawal",
    "middle:vectors",
    "middle:vectors-noted",
    "after:log",
    "after:outlook",
    "middle:publish-round",
]
LAST = ["middle:discard"]  # the round is published by then


def survive(rounds: ForkedRounds, world: World, points: Sequence[str], **options: Any) -> dict[str, Any]:
    """Run a round that is killed at each of the points, one after the other, and then ends; its report."""
    for point in points:
        ended = rounds.run(world.config, point, **options)
        assert (ended.report, ended.refused) == (None, ""), f"{point} never came: {ended}"
        for training in world.store.root.glob("work/train-*"):
            (training / ".tmpAbCdEf").write_text("half")  # as whoever writes weights leaves it
    report = rounds.run(world.config, **options).report
    assert report
    return report


def suggest_on_held_out(world: World) -> int:
    """What an earlier version suggested for records that are annotated blind by now; how many there are."""
    held_out = [record for record in world.pending() if world.config.is_blind(record.group)]
    found = [Scored(record.id, Suggestion((), IMPORT_AGENT), 0.5) for record in held_out]
    return write_suggestions(world.client, world.dataset, found).suggested


def flip_a_bit(world: World) -> None:
    """Damage the model in service."""
    path = world.store.path("models", str(world.store.champion())) / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_killed_round_converges(make_world: Callable[..., World], rounds: ForkedRounds) -> None:
    """Rounds that are killed at every point and ones never killed leave the same store and the same Argilla."""
    assert {p.partition(":")[2] for p in POINTS if not p.startswith("middle")} == {*STEPS} - {"close"}
    assert {p for p in [*POINTS, *LAST] if p.startswith("middle")} == {*MIDDLES, *RENEWED}
    calm, killed = (make_world(sentences(50)).shrink() for _ in range(2))
    for world in (calm, killed):
        world.config.training.folds, world.config.retention.rounds = 2, 1
    survive(rounds, calm, [])
    survive(rounds, killed, FIRSTS)
    assert [world.annotate(32) for world in (calm, killed)] == [32, 32]
    calm.config.argilla.find_similar = killed.config.argilla.find_similar = True
    shown = [suggest_on_held_out(world) for world in (calm, killed)]
    assert shown[0] == shown[1] >= 2

    outcomes = {survive(rounds, world, points)["outcome"] for world, points in ((calm, []), (killed, POINTS))}
    assert outcomes == {"promoted"}
    assert_converged(killed, calm)
    assert {suggestion is None for suggestion, _, version in killed.state().values() if version is None} == {True}

    for world in (calm, killed):
        flip_a_bit(world)
    survive(rounds, calm, [], again=True)
    survive(rounds, killed, MENDED, again=True)
    assert_converged(killed, calm)

    survive(rounds, calm, [], again=True)
    assert rounds.run(killed.config, *LAST, again=True) == Ended()
    assert {survive(rounds, world, [])["outcome"] for world in (calm, killed)} == {"nothing new"}
    assert_converged(killed, calm)
    print(f"killed at {len([*FIRSTS, *POINTS, *MENDED, *LAST])} points")
