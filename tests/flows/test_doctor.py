"""`spanloop doctor` on broken set-ups: the line that it says, what repairs it, and the round that works then."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import torch
import yaml
from sentences import sentences
from world import World

from spanloop.argilla import connect
from spanloop.argilla.credentials import credentials_path
from spanloop.config import LoopConfig
from spanloop.doctor import CHECKS, Diagnosis, SetUp, examine
from spanloop.local_argilla.process import Running
from spanloop.local_argilla.state import running_state, state_path
from spanloop.rehearsal.annotator import simulated_annotators
from spanloop.rounds.holding import take_over
from spanloop.services.prefect_api import PrefectApi
from spanloop.store import Store
from spanloop.store.pruning import pin, pins

pytestmark = pytest.mark.usefixtures("prefect_server")

_OF_THE_MACHINE = {"ports", "disk"}  # where the suite runs, not the loop
Ways = Iterator[dict[str, Any]]


@dataclass
class Ward:
    """A loop that has run, and how the doctor is asked about it."""

    world: World
    folder: Path
    home: Path

    @property
    def scores(self) -> Path:
        """Where score books lie."""
        return Path(self.world.config.store) / "work" / "scores"

    def write_config(self, **changes: dict[str, Any]) -> Path:
        """Write the loop's configuration, with other values in some sections."""
        tree = self.world.config.model_dump(mode="json")
        file = self.folder / "spanloop.yaml"
        file.write_text(yaml.safe_dump(tree | {name: tree[name] | values for name, values in changes.items()}))
        return file

    def examine(
        self, *, repair: bool = False, environ: dict[str, str] | None = None, **changes: dict[str, Any]
    ) -> list[Diagnosis]:
        """What the doctor finds, by other settings or variables than the loop's."""
        file = self.write_config(**changes)
        variables = {**os.environ, "SPANLOOP_HOME": str(self.home), **(environ or {})}

        def open_argilla(config: LoopConfig) -> Any:
            return connect(config, variables)

        def find_prefect() -> tuple[str | None, PrefectApi | None]:
            from prefect.settings import PREFECT_API_URL

            return None, PrefectApi(variables.get("PREFECT_API_URL") or str(PREFECT_API_URL.value()))

        checks = [check for check in CHECKS if check.name not in _OF_THE_MACHINE]
        with SetUp(file, variables, open_argilla, find_prefect) as set_up:
            return list(examine(set_up, checks, repair=repair))

    def round(self, *, again: bool = True) -> Any:
        """One round of the loop as it should be."""
        from flows.active_learning import active_learning

        return active_learning(self.world.config, again=again)


@pytest.fixture(scope="module")
def ward(
    argilla_server: Running,
    argilla_home: Path,
    encoder: Path,
    prefect_server: None,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ward]:
    """A loop with two models that were each put into service."""
    folder, name = tmp_path_factory.mktemp("doctor"), f"doctor-{uuid4().hex[:8]}"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
        patch.setenv("OMP_NUM_THREADS", "1")
        world = World.create(argilla_server.url, name, sentences(90), store=folder / "store", encoder=encoder)
        ward = Ward(world, folder, argilla_home)
        world.annotate(35)
        ward.round()
        world.annotate(15)
        world.store.set_champion(ward.round().figures.train.challenger)
        ward.round()
        yield ward
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Broken:
    """One broken set-up.

    Attributes:
        breaking: Breaks it, gives the settings and variables that are wrong, and afterwards follows the advice.
        check: The check that is to find it, alone.
        says: Stands in its line.
        repaired: Whether `--repair` mends it; else what the line advises does.
    """

    breaking: Callable[[Ward], Ways]
    check: str
    says: str
    repaired: bool

    def __str__(self) -> str:
        return self.breaking.__name__.replace("_", " ")


BROKEN: list[Broken] = []


def broken(check: str, says: str, *, repaired: bool = True) -> Callable[[Callable[[Ward], Ways]], Any]:
    """Register a broken set-up."""

    def register(breaking: Callable[[Ward], Ways]) -> Callable[[Ward], Ways]:
        BROKEN.append(Broken(breaking, check, says, repaired))
        return breaking

    return register


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


@broken("artifacts", r"models/m\S+: \S+model.safetensors is corrupt: its content does not fit the manifest")
def a_flipped_bit_in_the_model_in_service(ward: Ward) -> Ways:
    flip_a_bit(ward.world.store.path("models", str(ward.world.store.champion())) / "model.safetensors")
    yield {}


@broken("checkpoints", r"state.pt is damaged \(File is not a zip file\); that training begins anew")
def a_damaged_checkpoint_of_an_interrupted_training(ward: Ward) -> Ways:
    store = ward.world.store
    newest = store.names("models")[-1]
    store.set_champion(store.names("models")[0])
    store.set_aside("models", newest)
    folder = store.work(f"train-{newest.partition('-')[2]}") / "checkpoint"
    folder.mkdir()
    (folder / "state.pt").write_bytes(b"half of a checkpoint")
    yield {}


@broken("artifacts", r"snapshots/v\S+ has no manifest.json: it is not whole")
def a_snapshot_without_its_manifest(ward: Ward) -> Ways:
    store = ward.world.store
    (store.path("snapshots", store.names("snapshots")[0]) / "manifest.json").unlink()
    yield {}


@broken("champion", r"champion.json is corrupt")
def half_a_champion_pointer(ward: Ward) -> Ways:
    path, serving = ward.world.store.root / "champion.json", ward.world.store.champion()
    path.write_text(path.read_text()[:20])
    yield {}
    assert ward.world.store.champion() == serving


@broken("groups", r"groups.json is corrupt; restore it from a backup, or delete it")
def corrupt_groups(ward: Ward) -> Ways:
    (ward.world.store.root / "groups.json").write_text("{half")
    yield {}


@broken("pins", r"pins.json is corrupt; restore it, or delete it and pin again")
def corrupt_pins(ward: Ward) -> Ways:
    store, kept = ward.world.store, ward.world.store.names("models")[0]
    pin(store, kept)
    path = store.root / "pins.json"
    path.write_text(path.read_text().rstrip("]\n"))
    yield {}
    assert pins(store) == {kept}
    pin(store, kept, keep=False)


@broken("scores", r"m\S+\.jsonl: 2 lines damaged")
def damaged_lines_in_a_score_book(ward: Ward) -> Ways:
    book = next(ward.scores.glob("*.jsonl"))
    book.write_bytes(b'{"id": "r1", "te\n' + book.read_bytes() + b'{"id": "r2"')
    yield {}


@broken("notes", r"start.json is damaged; remove it and run again")
def notes_of_an_interrupted_round_cut_off(ward: Ward) -> Ways:
    work = ward.world.store.work(ward.world.store.next_name("rounds"))
    (work / "start.json").write_text('{"key": "')
    yield {}


@broken("locks", r"fence is corrupt; when no round is running, delete it")
def a_fence_of_noughts(ward: Ward) -> Ways:
    (ward.world.store.root / "locks" / "fence").write_bytes(bytes(8))
    yield {}


@broken("rounds", r"round.json is no record of a round")
def a_round_that_says_nothing(ward: Ward) -> Ways:
    store = ward.world.store

    def build(folder: Path) -> None:
        (folder / "round.json").write_text("[]")

    store.publish("rounds", store.next_name("rounds"), build)
    yield {}


@broken("store", r"spanloop-store.json is damaged; --repair makes it anew")
def a_marker_of_no_content(ward: Ward) -> Ways:
    (ward.world.store.root / "spanloop-store.json").write_text("")
    yield {}


@broken("binding", r"binding.json is corrupt; delete it, then take the dataset by 'spanloop adopt'")
def a_corrupt_note_of_the_dataset(ward: Ward) -> Ways:
    ward.world.store.binding.path.write_text("{}")
    yield {}


@broken("binding", r"belongs to store \w+ \(\S+other on .*by 'spanloop adopt'", repaired=False)
def a_dataset_that_another_store_took(ward: Ward) -> Ways:
    world, other = ward.world, Store(ward.folder / "other")
    take_over(other, world.client, world.dataset, "2026-11-27T08:00:00+00:00")
    yield {}
    take_over(world.store, world.client, world.dataset, "2026-11-27T08:01:00+00:00")


@broken("leftovers", r"\.tmp was left by a crash")
def half_a_model_that_a_crash_left(ward: Ward) -> Ways:
    left = ward.world.store.models / ".m0009-aaaaaaaa.01234567.tmp"
    left.mkdir()
    yield {}
    assert not left.exists()


@broken("champion", r"has no model 'm\d+-\w+'; there are: ")
def the_model_in_service_is_gone(ward: Ward) -> Ways:
    store = ward.world.store
    store.set_aside("models", str(store.champion()))
    yield {}


@broken("metadata", r"lacks the metadata priority, by which the queue is sorted")
def somebody_deleted_the_priority(ward: Ward) -> Ways:
    world = ward.world
    listed = world.client.get(f"me/datasets/{world.dataset.id}/metadata-properties")["items"]
    (priority,) = (x["id"] for x in listed if x["name"] == "priority")
    world.client.delete(f"metadata-properties/{priority}")
    yield {}


@broken("local Argilla's process", r"does not name the local Argilla, which runs \(process \d+\)")
def a_damaged_pid_file(ward: Ward) -> Ways:
    before = running_state(ward.home)
    state_path(ward.home).write_text("")
    yield {}
    after = running_state(ward.home)
    assert before
    assert after
    assert (after.pid, after.url) == (before.pid, before.url)


@broken("local Argilla's credentials", r"credentials.json holds a password and can be read by others")
def a_password_that_everybody_can_read(ward: Ward) -> Ways:
    credentials_path(ward.home).chmod(0o644)
    yield {}


@broken("key", "does not know this API key; check the key and the address", repaired=False)
def a_wrong_key(ward: Ward) -> Ways:
    yield {"environ": {"ARGILLA_API_KEY": "not-the-key"}}


@broken("key", r"whose role is annotator; a round needs an owner's or an admin's", repaired=False)
def an_annotators_key(ward: Ward) -> Ways:
    (annotator,) = simulated_annotators(ward.world.client, ward.world.dataset, 1)
    with annotator:
        yield {"environ": {"ARGILLA_API_KEY": annotator._key}}


@broken("dataset", r"dataset 'elsewhere' does not exist in workspace 'flows'", repaired=False)
def a_dataset_that_is_not_there(ward: Ward) -> Ways:
    yield {"argilla": {"dataset": "elsewhere"}}


@broken("labels", r"not in Argilla: planet; only in Argilla: place", repaired=False)
def labels_that_the_question_lacks(ward: Ward) -> Ways:
    yield {"task": {"labels": ["person", "planet"]}}


@broken("dataset settings", r"task.min_submitted is 2, dataset '\S+' has 1, which counts; set it to 1", repaired=False)
def another_number_of_responses(ward: Ward) -> Ways:
    yield {"task": {"min_submitted": 2}}


@broken("argilla", r"does not answer .* \('spanloop argilla start'\)", repaired=False)
def an_address_without_argilla(ward: Ward) -> Ways:
    yield {"argilla": {"api_url": "http://127.0.0.1:9"}}


@broken("settings", r"training.seeed = 3: is not a setting; check the spelling", repaired=False)
def a_misspelt_setting(ward: Ward) -> Ways:
    yield {"training": {"seeed": 3}}


@broken("encoder", r"encoder 'nowhere/near here' is no folder and not in the Hub's cache", repaired=False)
def an_encoder_that_is_not_there(ward: Ward) -> Ways:
    yield {"training": {"model_name_or_path": "nowhere/near here"}}


@broken("prefect", r"http://127.0.0.1:9/api does not answer; start it, or set PREFECT_API_URL= ", repaired=False)
def a_prefect_server_that_is_gone(ward: Ward) -> Ways:
    yield {"environ": {"PREFECT_API_URL": "http://127.0.0.1:9/api"}}


def ill(found: list[Diagnosis]) -> dict[str, str]:
    """The first line of each check that found something wrong."""
    return {x.name: next(f.said for f in x.findings if f.wrong) for x in found if x.ill}


@pytest.mark.parametrize(
    "case", BROKEN if os.environ.get("SPANLOOP_LONG") else BROKEN[::2], ids=str
)  # each takes a round
def test_a_broken_set_up_is_named_and_repaired_and_a_round_works(case: Broken, ward: Ward) -> None:
    with contextmanager(case.breaking)(ward) as wrong:
        answers = {r.server_id: r.responses for r in ward.world.records().values()}
        said = ill(ward.examine(**wrong))
        assert list(said) == [case.check], said
        assert re.search(case.says, said[case.check]), said
        assert "\n" not in said[case.check]
        if case.repaired:
            mended = {x.name: x.repaired for x in ward.examine(repair=True) if x.repaired}
            assert list(mended) == [case.check]
    assert ill(ward.examine()) == {}
    report = ward.round(again=case.repaired)
    assert report.outcome in (("promoted", "kept", "refreshed") if case.repaired else ("nothing new", "refreshed"))
    assert report.champion
    assert {r.server_id: r.responses for r in ward.world.records().values()} == answers
    way = "--repair: " + mended[case.check][0] if case.repaired else "the advice"
    print(f"{case} | {case.check}: {said[case.check]} | {way} | {report.round} {report.outcome}")


def test_of_many_broken_things_none_hides_another_and_one_repair_mends_them_all(ward: Ward) -> None:
    together = [corrupt_groups, corrupt_pins, damaged_lines_in_a_score_book, a_round_that_says_nothing]
    together += [half_a_model_that_a_crash_left, somebody_deleted_the_priority, a_damaged_pid_file]
    together += [notes_of_an_interrupted_round_cut_off, half_a_champion_pointer, a_fence_of_noughts]
    answers = {r.server_id: r.responses for r in ward.world.records().values()}
    with ExitStack() as broken_at_once:
        for breaking in together:
            broken_at_once.enter_context(contextmanager(breaking)(ward))
        expected = {case.check for case in BROKEN if case.breaking in together}
        assert set(ill(ward.examine())) == expected
        assert {x.name for x in ward.examine(repair=True) if x.repaired} == expected
    assert ill(ward.examine()) == {}
    assert ward.round().champion
    assert {r.server_id: r.responses for r in ward.world.records().values()} == answers


def spanloop(ward: Ward, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    from prefect.settings import PREFECT_API_URL

    words = [sys.executable, "-c", "from spanloop.cli import main; main()", *arguments]
    known = {"SPANLOOP_HOME": str(ward.home), "PREFECT_API_URL": str(PREFECT_API_URL.value())}
    return subprocess.run(words, env=os.environ | known | environ, capture_output=True, text=True, check=False)


def test_the_command_says_it_all_and_exits_2_until_all_is_well(ward: Ward) -> None:
    ward.round()
    words = ("doctor", "--config", str(ward.write_config()))
    book = next(ward.scores.glob("*.jsonl"))
    book.write_bytes(book.read_bytes() + b"{half")
    found = spanloop(ward, *words, SPANLOOP_TRAINNING__SEED="1", PREFECT_API_URL="http://127.0.0.1:9/api")
    wrong = [line for line in found.stdout.splitlines() if line.startswith("wrong")]
    assert found.returncode == 2, found.stderr
    assert wrong[0].startswith("wrong     variables: SPANLOOP_TRAINNING__SEED means no setting")
    assert wrong[1].startswith(f"wrong     scores: {book}: 1 lines damaged")
    assert wrong[2].startswith("wrong     prefect: Prefect at http://127.0.0.1:9/api (PREFECT_API_URL) does not answer")
    assert re.search(r"wrong: variables, scores, prefect\b.*; 'spanloop doctor --repair'", found.stderr)
    mended = spanloop(ward, *words, "--repair")
    assert f"repaired  scores: dropped 1 lines of {book}" in mended.stdout
    assert mended.returncode == 0, mended.stdout
    assert mended.stdout.splitlines()[-1] == f"all well: {len(CHECKS)} checks"


def test_deployments_that_nobody_serves_are_told(ward: Ward) -> None:
    from prefect.settings import PREFECT_API_URL

    with httpx.Client(base_url=str(PREFECT_API_URL.value()), timeout=30) as prefect:
        flow = prefect.post("/flows/", json={"name": "served-by-nobody"}).json()
        prefect.post("/work_pools/", json={"name": "spanloop", "type": "process"})
        body = {"name": "nightly", "flow_id": flow["id"], "work_pool_name": "spanloop"}
        deployment = prefect.post("/deployments/", json=body).json()
        try:
            said = ill(ward.examine())
        finally:
            prefect.delete(f"/deployments/{deployment['id']}").raise_for_status()
    assert list(said) == ["worker"]
    assert re.match(r"no worker serves pool 'spanloop' at http://\S+, so that runs of .*nightly.* wait", said["worker"])
    assert ill(ward.examine()) == {}
