"""Load a model folder for scoring: device, number format, attention, threads."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForTokenClassification, AutoTokenizer

from spanloop.errors import TrainingError, first_line
from spanloop.model.device import Device, find_device, set_threads
from spanloop.model.encoding import Encoder
from spanloop.model.exhaustion import no_room, out_of_memory
from spanloop.model.folder import ModelFolder
from spanloop.model.forward import Forward
from spanloop.model.probe import dropout_varies, probe, trial
from spanloop.model.quiet import quiet_transformers
from spanloop.model.windows import longest_window
from spanloop.scoring import int8, onednn

if TYPE_CHECKING:
    from spanloop.config import ScoringConfig, TrainingConfig

log = logging.getLogger(__name__)

_CPU_TOKENS = 2048  # more does not make the matrix products faster, and falls out of the processor's caches
_CPU_MULTIPLE = 128  # oneDNN makes kernels anew for each number of tokens, and keeps about 1.5 MB for each
_GPU_TOKENS = 65_536  # enough work for a GPU to hide what Python needs to launch it
_WORKERS = 2  # threads that run a batch each on CPUs
_DTYPES = {"no": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model with its tokenizer, ready to score.

    Attributes:
        folder: What the model folder says.
        encoder: Its tokenizer, cutting texts into windows.
        forward: Its forward pass.
    """

    folder: ModelFolder
    encoder: Encoder
    forward: Forward


def load_for_scoring(folder: ModelFolder, config: "ScoringConfig") -> Loaded:
    """Load a model in the number format, the layers and the attention that suit this machine.

    Raises:
        TrainingError: The folder's files cannot be read, its tags are not those of its labels, or the device is too
            small.
    """
    try:
        model, tokenizer = _read(str(folder.path))
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        reason = first_line(error)
        raise TrainingError(f"model {folder.path} cannot be loaded ({reason}); train it again") from None
    if [model.config.id2label[i] for i in range(model.config.num_labels)] != folder.scheme.names:
        raise TrainingError(f"model {folder.path} has other tags than its spanloop.json; train it again")
    encoder = Encoder(tokenizer, folder.max_length, folder.stride, folder.surface_features)
    return Loaded(folder, encoder, _forward("score", model, encoder.pad_id, folder.max_length, config))


def load_encoder(training: "TrainingConfig", config: "ScoringConfig") -> tuple[Encoder, Forward]:
    """Load the encoder that training starts from, as it is, for its hidden states.

    Returns:
        The tokenizer, and the forward pass, whose logits mean nothing: the head is not trained.

    Raises:
        TrainingError: The device is too small.
        Exception: Whatever is raised where there is no such encoder, or by one of unknown make.
    """
    model, tokenizer = _read(training.model_name_or_path)
    max_length = longest_window(model, tokenizer, training.max_length)
    encoder = Encoder(tokenizer, max_length, training.stride)
    return encoder, _forward("embed", model, encoder.pad_id, max_length, config)


def _read(name: str) -> tuple[Any, Any]:
    with quiet_transformers():
        model = AutoModelForTokenClassification.from_pretrained(name, dtype=torch.float32)
        return model, AutoTokenizer.from_pretrained(name)


def _forward(what: str, model: Any, pad_id: int, max_length: int, config: "ScoringConfig") -> Forward:
    """Bring a model onto the device, in the form that runs fastest there."""
    device = find_device()
    model = model.to(device.device, _DTYPES[device.precision]).eval()
    on_cpu = device.device.type == "cpu"
    if on_cpu:
        set_threads()
    budget = config.max_tokens_per_batch or (_CPU_TOKENS if on_cpu else _GPU_TOKENS)
    forward = Forward(model, device.device, pad_id, budget, _CPU_MULTIPLE if on_cpu else 1)
    try:
        _prepare(forward, max_length, config)
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        raise no_room(max_length) from None
    if on_cpu:
        forward.workers = _workers(torch.get_num_threads())
    _say(what, forward, device, config)
    return forward


def _prepare(forward: Forward, max_length: int, config: "ScoringConfig") -> None:
    """Give the model the attention, layers and dropout that it can have here."""
    model, lengths = forward.model, (max_length, min(7, max_length))
    probe(forward, lengths, exact=model.dtype == torch.float32)
    if config.backend == "int8" and forward.device.type == "cpu":
        int8.quantize(model, _WORKERS, lambda: trial(forward, lengths))
    elif forward.device.type == "cpu":
        onednn.pack(model, forward.budget, lambda: trial(forward, lengths))
    forward.drops_at_head = config.mc_dropout_passes > 0 and not dropout_varies(forward, lengths)
    if forward.drops_at_head:
        log.info("score: the encoder has no dropout; for bald, what its head reads is dropped")


def _workers(threads: int) -> ThreadPoolExecutor | None:
    """Threads for batches, each with its share of torch's: they need not wait for each other in every layer."""
    if threads % _WORKERS:
        return None
    workers = ThreadPoolExecutor(_WORKERS, "score", torch.set_num_threads, (threads // _WORKERS,))
    all_started = threading.Barrier(_WORKERS)
    list(workers.map(lambda _: all_started.wait(), range(_WORKERS)))
    torch.set_num_threads(threads)  # what threads have that start from now on
    return workers


def _say(what: str, forward: Forward, device: Device, config: "ScoringConfig") -> None:
    backend = "int8" if config.backend == "int8" and device.device.type == "cpu" else str(device)
    packed = "packed windows" if forward.first_position is not None else "padded windows"
    log.info("%s: %s, %s, %d tokens a batch", what, backend, packed, forward.budget)
