"""Checks of the machine: room on the disk, ports, the clock, the device, and the encoder to begin with."""

import shutil
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.durable import files_below
from spanloop.local_argilla.health import is_argilla
from spanloop.local_argilla.process import PORT as ARGILLA_PORT
from spanloop.local_argilla.state import running_state
from spanloop.processes.ports import is_free, is_loopback, local_url
from spanloop.services.prefect import PORT as PREFECT_PORT
from spanloop.services.prefect_api import PrefectApi
from spanloop.services.up import up_runs
from spanloop.spans import tag_names

_COPIES = 5  # a model, its copy in work, and a checkpoint: weights and two moments of each
_MODEL = 500e6  # bytes of a base encoder's weights, where nothing tells
_ROUND = 200e6  # records, scores, a snapshot
_OFF = 60.0  # seconds; less does no harm
_NVIDIA = Path("/dev/nvidia0")


def _disk(set_up: SetUp) -> Iterator[Finding]:
    root = set_up.store.root
    there = next(x for x in (root, *root.parents) if x.exists())
    free, needed = shutil.disk_usage(there).free, room_for_a_round(set_up)
    if free < needed:
        yield Finding(
            f"{there} has {free / 1e9:.1f} GB left, a round may need {needed / 1e9:.1f} GB; free some, lower retention "
            "and 'spanloop store prune', or set store to another disk"
        )


def room_for_a_round(set_up: SetUp) -> float:
    """Bytes that a round may need: a model with its checkpoint, and what goes with it."""
    store, encoder = set_up.store, Path(set_up.config.training.model_name_or_path)
    models = store.names("models")
    folder = store.path("models", models[-1]) if models else encoder if encoder.is_dir() else None
    weights = sum(path.stat().st_size for path in files_below(folder)) if folder else _MODEL
    return _COPIES * weights + _ROUND


def _ports(set_up: SetUp) -> Iterator[Finding]:
    url = set_up.config.argilla.api_url
    host, port = urlsplit(url).hostname or "127.0.0.1", urlsplit(url).port or ARGILLA_PORT
    ours = running_state(set_up.home) is not None or not is_loopback(url) or is_argilla(local_url(host, port))
    if not ours and not is_free(host, port):
        yield Finding(
            f"port {port}, where argilla.api_url has Argilla, is taken by another program; end that, or set "
            "argilla.api_url to another port"
        )
    if not up_runs(set_up.home) and not is_free("127.0.0.1", PREFECT_PORT):
        if PrefectApi(f"http://127.0.0.1:{PREFECT_PORT}/api").answers():
            yield note(f"a Prefect server that 'spanloop up' did not start has port {PREFECT_PORT}")
        else:
            yield Finding(
                f"port {PREFECT_PORT} of 'spanloop up' is taken by another program; choose another by --prefect-port"
            )


def _clock(set_up: SetUp) -> Iterator[Finding]:
    url = set_up.config.argilla.api_url.rstrip("/")
    return _compared(f"Argilla at {url}", f"{url}/api/v1/version")


def _clock_of_prefect(set_up: SetUp) -> Iterator[Finding]:
    if api := set_up.prefect[1]:
        yield from _compared(f"Prefect at {api.url}", f"{api.url}/health")


def _compared(server: str, page: str) -> Iterator[Finding]:
    ahead = seconds_ahead(page)
    if ahead is not None and abs(ahead) > _OFF:
        side = "ahead of" if ahead > 0 else "behind"
        yield Finding(
            f"this machine's clock is {abs(ahead):.0f} s {side} that of {server}; set both by NTP, e.g. "
            "'timedatectl set-ntp true'"
        )


def seconds_ahead(url: str) -> float | None:
    """How far this machine's clock is ahead of the one that a server's answer shows; None where it shows none."""
    try:
        answer = httpx.get(url, timeout=10.0, trust_env=not is_loopback(url))
        return time.time() - parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, KeyError, ValueError):
        return None


def _device(set_up: SetUp) -> Iterator[Finding]:
    if not _NVIDIA.exists():
        yield note("no NVIDIA device; models are trained on the processor")
        return
    import torch

    if not torch.cuda.is_available():
        yield Finding(
            f"{_NVIDIA} is there and torch {torch.__version__} cannot use it; install torch for CUDA, or look at "
            "'nvidia-smi' and CUDA_VISIBLE_DEVICES"
        )


def _encoder(set_up: SetUp) -> Iterator[Finding]:
    """The encoder as training loads it; one of the Hub that is not here yet is only asked for."""
    name = set_up.config.training.model_name_or_path
    place = name if Path(name).is_dir() else _cached(name)
    if place is None:
        yield from _on_the_hub(name)
        return
    from spanloop.training.pretrained import load_model

    load_model(place, tag_names(set_up.config.task.labels or ["label"]), 0)
    yield note(f"{name} can be loaded{'' if place == name else ', also offline'}")


def _cached(name: str) -> str | None:
    """The folder of the Hub's cache with the encoder; None if there is none."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "config.json")
    except HFValidationError:
        return None
    return str(Path(found).parent) if isinstance(found, str) else None


def _on_the_hub(name: str) -> Iterator[Finding]:
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    problem = f"encoder {name!r} is no folder and not in the Hub's cache"
    try:
        HfApi().model_info(name, timeout=10.0)
    except HFValidationError:
        yield Finding(f"{problem}, nor a name of the Hub; set training.model_name_or_path to a folder or a model id")
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "no answer"
        yield Finding(f"{problem}, and the Hub refuses it ({status}); check training.model_name_or_path and HF_TOKEN")
    except Exception as error:  # whatever its HTTP library has
        yield Finding(
            f"{problem}, and the Hub cannot be reached ({type(error).__name__}); connect once, or set "
            "training.model_name_or_path to a folder"
        )
    else:
        yield note(f"{name} is on the Hub; the first training fetches it")


CHECKS = (
    HealthCheck("disk", _disk, needs=("configuration",)),
    HealthCheck("ports", _ports, needs=("configuration",)),
    HealthCheck("clock", _clock, needs=("configuration",)),
    HealthCheck("Prefect's clock", _clock_of_prefect, needs=("prefect",)),
    HealthCheck("device", _device),
    HealthCheck("encoder", _encoder, needs=("configuration",)),
)
