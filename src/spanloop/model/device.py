"""What this machine computes with: device, number format, threads, and why.

bf16 is chosen only where the hardware multiplies it: on CUDA devices of compute capability 8.0 and later, and for
training on CPUs with AMX or the bf16 instructions of AVX-512 (weights and their updates stay fp32; figures in
`docs/lab-notes.md`). CPUs without them are many times slower in bf16, so they compute in fp32, and scoring on a CPU
always does: its probabilities are to be those of the model. Older CUDA devices with tensor cores (7.0, 7.5) take fp16
with loss scaling.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

Precision = Literal["no", "bf16", "fp16"]


@dataclass(frozen=True, slots=True)
class Device:
    """Where and how a model runs.

    Attributes:
        device: The first device.
        count: How many of its kind there are.
        precision: `no` is fp32.
        reason: Why this precision, in a few words.
    """

    device: torch.device
    count: int
    precision: Precision
    reason: str

    def __str__(self) -> str:
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        number = "fp32" if self.precision == "no" else self.precision
        return f"{self.count} {name} device{'s' if self.count > 1 else ''}, {number} ({self.reason})"


def find_device(mixed_precision: Literal["auto", "no", "bf16", "fp16"] = "auto", *, training: bool = False) -> Device:
    """Find the device and the precision to use on it.

    Args:
        mixed_precision: A precision that was asked for, or `auto`.
        training: Whether weights are to be trained; a CPU scores in fp32.

    Returns:
        The device; fp16 that was asked for on a device without it becomes fp32, with the reason.
    """
    if torch.cuda.is_available():
        device, count = torch.device("cuda"), torch.cuda.device_count()
        precision, reason = _cuda_precision()
    elif torch.backends.mps.is_available():
        device, count, precision, reason = torch.device("mps"), 1, "no", "fastest there"
    elif training and (unit := _cpu_unit()):
        device, count, precision, reason = torch.device("cpu"), 1, "bf16", f"the processor has {unit}"
    else:
        device, count, precision, reason = torch.device("cpu"), 1, "no", "no bf16 units in use"
    if mixed_precision == "fp16" and device.type != "cuda":
        return Device(device, count, "no", f"fp16 was asked for, which {device.type} does not train in")
    if mixed_precision != "auto":
        return Device(device, count, mixed_precision, "asked for")
    return Device(device, count, precision, reason)


def set_threads(processes: int = 1) -> int:
    """Give torch one thread a processor that this process may use; `OMP_NUM_THREADS` wins.

    Args:
        processes: Processes on this machine that share the processors.

    Returns:
        The number of threads.
    """
    if not os.environ.get("OMP_NUM_THREADS", "").isdigit():
        torch.set_num_threads(max(1, min(available_cpus(), torch.get_num_threads()) // processes))
    return torch.get_num_threads()


def available_cpus() -> int:
    """Processors that this process may use: its affinity and the quota of its control group, rounded down."""
    try:
        cpus = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cpus = os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        return max(1, min(cpus, int(quota) // int(period)))
    except (OSError, ValueError):
        return cpus


def _cpu_unit() -> str | None:
    """What multiplies bf16 numbers in this processor; None: nothing does."""
    can = torch.cpu.get_capabilities()
    if can.get("amx_bf16"):
        return "AMX"
    return "AVX-512 BF16" if can.get("avx512_bf16") else None


def _cuda_precision() -> tuple[Precision, str]:
    major, minor = torch.cuda.get_device_capability()
    what = f"compute capability {major}.{minor}"
    if major >= 8:
        return "bf16", what
    return ("fp16", what) if major == 7 else ("no", f"{what} has no tensor cores")
