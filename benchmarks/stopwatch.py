"""Where the time goes: of the host by phase, of the device by kernel.

Phases are functions of the library, wrapped while a stopwatch runs. Nested ones are both counted. The processor time of
a phase is that of its thread; what passes beyond it is waiting: for the device, or for Python's lock.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch

_KERNELS = 12  # that are named


class Stopwatch:
    """Adds up wall and processor time by phase, over all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wall: dict[str, float] = {}
        self._cpu: dict[str, float] = {}

    @contextmanager
    def watching(self, phases: dict[str, tuple[Any, str]]) -> Iterator[None]:
        """While inside, time functions.

        Args:
            phases: By the phase's name, who has the function (a class or a module) and its name there.
        """
        with ExitStack() as stack:
            for phase, (owner, name) in phases.items():
                stack.enter_context(patch.object(owner, name, self._timed(phase, getattr(owner, name))))
            yield

    def per_token(self, tokens: int) -> dict[str, dict[str, float]]:
        """Microseconds a token of each phase, `wall` and `cpu`."""
        share = 1e6 / max(tokens, 1)
        return {
            phase: {"wall": round(self._wall[phase] * share, 4), "cpu": round(self._cpu[phase] * share, 4)}
            for phase in self._wall
        }

    def _timed(self, phase: str, function: Any) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
                with self._lock:
                    self._wall[phase] = self._wall.get(phase, 0.0) + wall
                    self._cpu[phase] = self._cpu.get(phase, 0.0) + cpu

        return timed


class DeviceTime:
    """What a GPU did between `start` and `stop`; on a CPU nothing is measured."""

    def __init__(self) -> None:
        self._profiler: Any = None
        self._began = 0.0
        self.figures: dict[str, Any] = {}

    def start(self) -> None:
        """Begin."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
            self._profiler = torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA])
            self._profiler.start()
        self._began = time.perf_counter()

    def stop(self) -> None:
        """End: `figures` has the share of the time in which kernels ran, and which took most of it."""
        if self._profiler is None:
            return
        torch.cuda.synchronize()
        wall = time.perf_counter() - self._began
        self._profiler.stop()
        found = [(e.key, e.self_device_time_total / 1e6, e.count) for e in self._profiler.key_averages()]
        found = sorted((kernel for kernel in found if kernel[1]), key=lambda kernel: -kernel[1])
        busy = sum(seconds for _, seconds, _ in found)
        self.figures = {
            "busy_share": busy / wall,
            "kernels": sum(count for *_, count in found),
            "seconds": wall,
            "most": [[key[:90], round(seconds / max(busy, 1e-12), 4), n] for key, seconds, n in found[:_KERNELS]],
        }
        self._profiler = None
