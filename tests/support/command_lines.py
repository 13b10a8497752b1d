"""Command lines, each in a fork of one process that has imported what they need, maybe where less is allowed.

    python command_lines.py [drop-rights | read-only FOLDER | small-disk FOLDER] < ORDERS

ORDERS is a JSON list of argument lists; the answer is one of `[exit code, stdout, stderr]`.
"""

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

RESIZE = "resize-disk"  # an order: the small disk has this size from now on, e.g. `["resize-disk", "64k"]`
_BIND, _REMOUNT, _READ_ONLY = 4096, 32, 1


@dataclass(frozen=True)
class Said:
    """What a command line did."""

    code: int
    out: str
    err: str

    def one_line(self) -> str:
        """What an expected error prints: one line, exit code 2."""
        assert self.code == 2, self
        assert self.err.startswith("spanloop: "), self
        assert self.err.count("\n") == 1, self
        return self.err.strip()


def spanloop(orders: Sequence[Sequence[str]], *limits: str) -> list[Said]:
    """Run command lines one after the other.

    Args:
        orders: The arguments of each, e.g. `["store", "verify"]`.
        limits: `drop-rights`: files are what their permissions say, for root too. `read-only` and a folder: it is on a
            disk that can only be read. `small-disk` and a folder: it is an empty disk of its own (see `RESIZE`).

    Raises:
        OSError: The limits cannot be had here.
    """
    command = [sys.executable, __file__, *limits]
    if len(limits) > 1:
        command = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else []), *command]
    done = subprocess.run(command, input=json.dumps(orders), capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr)
    return [Said(*answer) for answer in json.loads(done.stdout)]


def why_not(folder: Path, *limits: str) -> str:
    """Why limits cannot be had here; empty if they can."""
    try:
        spanloop([], *limits, *([str(folder)] if limits != ("drop-rights",) else []))
    except OSError as error:
        return f"no {limits[0]} here: {str(error).splitlines()[-1]}"
    return ""


def _main(limit: str = "", folder: str = "") -> None:
    from spanloop.cli import main, register

    register()
    if limit == "read-only":
        _mount(folder, folder, "", _BIND)
        _mount(folder, folder, "", _BIND | _REMOUNT | _READ_ONLY)
    if limit == "small-disk":
        _mount("none", folder, "tmpfs", 0)
    if limit == "drop-rights":
        header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        _check(ctypes.CDLL(None, use_errno=True).capset(header, nothing))
    answers: list[tuple[int, str, str]] = []
    for order in json.load(sys.stdin):
        if order[0] == RESIZE:
            _mount("none", folder, "tmpfs", _REMOUNT, f"size={order[1]}")
        else:
            answers.append(_run(main, order))
    print(json.dumps(answers))


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    texts = [text.encode() for text in (source, target, kind, options)]
    _check(ctypes.CDLL(None, use_errno=True).mount(*texts[:3], flags, texts[3]))


def _check(answer: int) -> None:
    if answer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _run(main: Callable[[], None], order: list[str]) -> tuple[int, str, str]:
    texts = [os.memfd_create(name) for name in ("out", "err")]
    if (pid := os.fork()) == 0:
        for target, text in enumerate(texts, start=1):
            os.dup2(text, target)
        sys.argv = ["spanloop", *order]
        main()  # which ends by SystemExit
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    out, err = (Path(f"/proc/self/fd/{text}").read_text() for text in texts)
    return code, out, err


if __name__ == "__main__":
    _main(*sys.argv[1:])
