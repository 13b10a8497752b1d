"""Checks of Argilla: its answer, the key, the dataset and its settings, labels, and whose the dataset is."""

from collections.abc import Iterator
from socket import gethostname
from typing import TYPE_CHECKING

from spanloop.argilla.client import ArgillaClient
from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.errors import ArgillaError, ArgillaUnreachable, StoreError
from spanloop.processes.ports import is_loopback
from spanloop.rounds.work import now
from spanloop.store.contents import MARKER
from spanloop.store.setting_aside import set_file_aside

if TYPE_CHECKING:
    from spanloop.argilla.lease import Lease

_ROLES = ("owner", "admin")  # annotators may neither see all responses nor write suggestions


def _argilla(set_up: SetUp) -> Iterator[Finding]:
    url = set_up.config.argilla.api_url
    try:
        with ArgillaClient(url, "-", timeout=10.0) as nobody:
            version = nobody.get("version").get("version", "")
    except ArgillaUnreachable as error:
        raise ArgillaUnreachable(f"{error} ('spanloop argilla start')" if is_loopback(url) else str(error)) from None
    except AttributeError:
        raise ArgillaError(f"{url} answers, but not as Argilla; check argilla.api_url") from None
    if not version.startswith("2."):
        yield Finding(f"Argilla at {url} is version {version or 'unknown'}; spanloop works with 2.x")


def _key(set_up: SetUp) -> Iterator[Finding]:
    me, names = set_up.client.get("me"), set_up.config.argilla
    if me["role"] not in _ROLES:
        yield Finding(
            f"the API key is that of {me['username']!r}, whose role is {me['role']}; a round needs an owner's or an "
            f"admin's: set {names.api_key_env} to such a key"
        )
        return
    workspaces = {x["name"] for x in set_up.client.get("me/workspaces")["items"]}
    if me["role"] != "owner" and names.workspace not in workspaces:
        yield Finding(
            f"{me['username']!r} is no member of workspace {names.workspace!r}; let an owner add them, or set "
            f"argilla.workspace to one of {', '.join(sorted(workspaces)) or 'their own'}"
        )


def _dataset(set_up: SetUp) -> Iterator[Finding]:
    yield note(f"dataset {set_up.dataset.name!r} is there, with question {set_up.dataset.question!r}")


def _settings(set_up: SetUp) -> Iterator[Finding]:
    there, task = set_up.dataset, set_up.config.task
    if there.min_submitted != task.min_submitted:
        yield Finding(
            f"task.min_submitted is {task.min_submitted}, dataset {there.name!r} has {there.min_submitted}, which "
            f"counts; set it to {there.min_submitted}, or let 'spanloop import' bring {task.min_submitted} to Argilla"
        )
    if there.allow_overlapping and not task.allow_overlapping:
        yield Finding(
            f"dataset {there.name!r} allows overlapping spans, and Argilla cannot forbid them later; set "
            "task.allow_overlapping to true"
        )
    elif task.allow_overlapping and not there.allow_overlapping:
        yield Finding(
            f"task.allow_overlapping is true, dataset {there.name!r} does not allow it yet; set it to false, or let "
            "'spanloop import' or the next round bring it to Argilla"
        )


def _labels(set_up: SetUp) -> Iterator[Finding]:
    from spanloop.argilla.dataset import in_labels

    in_labels(set_up.dataset, set_up.config.task)
    yield from ()


def _known_labels(set_up: SetUp) -> Iterator[Finding]:
    """The labels of the model in service against those of the project."""
    from spanloop.model.folder import ModelFolder
    from spanloop.rounds.relabelling import unused_labels

    store, task = set_up.store, set_up.config.task
    if champion := store.champion():
        known = ModelFolder.read(store.path("models", champion)).scheme.labels
        meant = set(map(task.meaning_of, known))
        if new := [label for label in task.labels if label not in meant]:
            yield note(f"{champion} does not know {', '.join(new)}; it suggests none until a new model serves")
        yield from map(note, unused_labels(champion, known, task))


def _properties(set_up: SetUp) -> Iterator[Finding]:
    from spanloop.argilla.properties import missing_properties

    if missing := missing_properties(set_up.client, set_up.dataset, set_up.config.task):
        yield Finding(
            f"dataset {set_up.dataset.name!r} lacks the metadata {', '.join(missing)}, by which the queue is sorted; "
            "the next round, or --repair, makes it"
        )


def _make_properties(set_up: SetUp) -> Iterator[str]:
    from spanloop.argilla.properties import missing_properties, prepare_dataset

    there = set_up.client, set_up.dataset, set_up.config.task
    missing = missing_properties(*there)
    prepare_dataset(*there)
    yield f"made the metadata {', '.join(missing)}"


def _binding(set_up: SetUp) -> Iterator[Finding]:
    from spanloop.rounds.holding import refuse_if_taken

    store, dataset = set_up.store, set_up.dataset
    if (store.root / MARKER).is_file():
        refuse_if_taken(store, set_up.client, dataset)
    elif lease := _lease(set_up):
        yield Finding(
            f"dataset {dataset.name!r} belongs to {lease}, and {store.root} is no store yet; set store to that one, or "
            "take the dataset over by 'spanloop adopt'"
        )


def _lease(set_up: SetUp) -> "Lease | None":
    from spanloop.argilla.lease import LEASE, Lease
    from spanloop.argilla.properties import list_properties

    held = list_properties(set_up.client, set_up.dataset).get(LEASE)
    return Lease.of(held) if held else None


def _bind_again(set_up: SetUp) -> Iterator[str]:
    """Take the dataset where only the note of it is corrupt: the last round there was this very store's."""
    from spanloop.rounds.holding import take_over

    store, lease = set_up.store, _lease(set_up)
    with set_up.holding_store():
        try:
            store.binding.read()
        except StoreError:
            here = (store.id, gethostname(), str(store.root))
            if lease and (lease.store, lease.host, lease.folder) == here:
                aside = set_file_aside(store, store.binding.path.name)
                take_over(store, set_up.client, set_up.dataset, now())
                yield f"binding.json lies in {aside} now; the dataset is bound again to the store that had it"


_ASKED = ("configuration", "argilla", "key")

CHECKS = (
    HealthCheck("argilla", _argilla, needs=("configuration",)),
    HealthCheck("key", _key, needs=("configuration", "argilla")),
    HealthCheck("dataset", _dataset, needs=_ASKED),
    HealthCheck("dataset settings", _settings, needs=(*_ASKED, "dataset")),
    HealthCheck("metadata", _properties, _make_properties, needs=(*_ASKED, "dataset")),
    HealthCheck("binding", _binding, _bind_again, needs=(*_ASKED, "dataset", "store")),
    HealthCheck("labels", _labels, needs=(*_ASKED, "dataset")),
    HealthCheck("labels of the model", _known_labels, needs=("labels", "store", "champion", "artifacts")),
)
