"""A disk that is full from one write on: the kernel hands every write of a process to us, and we refuse one.

Which of a process's system calls are writes is told by a seccomp filter, so that no writer escapes, whatever language
it is in (seccomp_unotify(2)); what is written through a memory map is not seen. No rights are needed for that.
"""

import ctypes
import errno
import fcntl
import os
import platform
import re
import select
import socket
import struct
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

# By number on x86_64 and aarch64; the argument with the file: a descriptor, or the path, maybe after a folder's.
_CALLS = {
    "write": (1, 64, 0),
    "pwrite64": (18, 68, 0),
    "writev": (20, 66, 0),
    "sendfile": (40, 71, 0),
    "copy_file_range": (326, 285, 2),
    "fsync": (74, 82, 0),
    "fdatasync": (75, 83, 0),
    "ftruncate": (77, 46, 0),
    "fallocate": (285, 47, 0),
    "open": (2, None, 0),
    "openat": (257, 56, 1),
    "mkdir": (83, None, 0),
    "mkdirat": (258, 34, 1),
    "link": (86, None, 1),
    "linkat": (265, 37, 3),
    "rename": (82, None, 1),
    "renameat": (264, 38, 3),
    "renameat2": (316, 276, 3),
}
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_SET_NO_NEW_PRIVS, _SECCOMP = 38, {"x86_64": 317, "aarch64": 277}
_FILTER, _NEW_LISTENER = 1, 1 << 3
_ALLOW, _NOTIFY = 0x7FFF0000, 0x7FC00000
_RECEIVE, _SEND, _CONTINUE = 0xC0502100, 0xC0182101, 1
# What differs from run to run, and from one round to the next.
_VARIES = re.compile(
    r"(?<=\.)[0-9a-f]{8}(?=\.tmp)|(?<=/\.tmp)\w{6}$|(?<=-)\w{8}(?=/|$)|(?<=[vmr])\d{4,}|[0-9a-f-]{16,}"
)


def why_not() -> str:
    """Why the writes of a process cannot be seen here; empty if they can."""
    if platform.system() != "Linux" or platform.machine() not in _MACHINES:
        return f"no table of system calls of {platform.system()} on {platform.machine()}"
    try:
        FullDisk().run(lambda: None)
    except OSError as error:
        return f"no seccomp listener: {error}"
    return ""


@dataclass
class FullDisk:
    """Runs pieces of work, each in a fork that meets a full disk at a write that none met before.

    Attributes:
        every: A full disk at every n-th of the new writes only.
        spared: Folders that never are full.
        met: The writes that were met by now: system call, file, and the how-manieth of its kind; in their order.
        refused: Those among them that were refused.
    """

    every: int = 1
    spared: tuple[Path, ...] = ()
    met: dict[tuple[str, str, int], None] = field(default_factory=dict)
    refused: list[tuple[str, str, int]] = field(default_factory=list)

    def run(self, work: Callable[[], None], *, stays: bool = True) -> int:
        """Do the work in a fork.

        Args:
            work: What to do.
            stays: Refuse all writes after the first that is refused, as a disk that stays full does.

        Returns:
            The exit status, negative for a signal. Whether a write was refused, `refused` tells by its length.
        """
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            try:
                socket.send_fds(theirs, [b"x"], [_install()])
            except OSError as error:
                theirs.send(struct.pack("i", error.errno))
                os._exit(1)
            theirs.close()
            try:
                work()
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        theirs.close()
        told, descriptors, _, _ = socket.recv_fds(ours, 4, 1)
        if not descriptors:
            os.waitpid(pid, 0)
            raise OSError(error := struct.unpack("i", told)[0], os.strerror(error))
        try:
            return self._serve(descriptors[0], pid, stays)
        finally:
            os.close(descriptors[0])

    def _serve(self, listener: int, pid: int, stays: bool) -> int:
        """Answer until the process has ended."""
        watched = select.poll()
        watched.register(listener, select.POLLIN)
        counts: dict[tuple[str, str], int] = {}
        full = False
        while True:
            if any(event & select.POLLIN for _, event in watched.poll(50)):
                if (asked := _receive(listener)) is None:
                    continue
                number, call, path = asked
                refuse = False
                if path and not any(path.is_relative_to(spared) for spared in self.spared):
                    refuse = (full and stays) or (not full and self._meet(call, path, counts))
                    full = full or refuse
                _answer(listener, number, refuse)
            elif (ended := os.waitpid(pid, os.WNOHANG))[0]:
                return os.waitstatus_to_exitcode(ended[1])

    def _meet(self, call: str, path: Path, counts: dict[tuple[str, str], int]) -> bool:
        kind = call, _VARIES.sub("*", str(path))
        counts[kind] = counts.get(kind, 0) + 1
        write = (*kind, counts[kind])
        if write in self.met:
            return False
        self.met[write] = None
        if (len(self.met) - 1) % self.every:
            return False
        self.refused.append(write)
        return True


def _numbers() -> dict[int, tuple[str, int]]:
    column = _MACHINES[platform.machine()][0]
    known = ((name, numbers[column], numbers[2]) for name, numbers in _CALLS.items())
    return {number: (name, argument) for name, number, argument in known if number is not None}


def _install() -> int:
    """Have this process's writes asked about; returns the descriptor on which they are."""
    libc = ctypes.CDLL(None, use_errno=True)
    machine, numbers = platform.machine(), sorted(_numbers())
    program = [(0x20, 0, 0, 4), (0x15, 1, 0, _MACHINES[machine][1]), (0x06, 0, 0, _ALLOW), (0x20, 0, 0, 0)]
    for i, number in enumerate(numbers):
        program.append((0x15, len(numbers) - i, 0, number))
    program += [(0x06, 0, 0, _ALLOW), (0x06, 0, 0, _NOTIFY)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = libc.syscall(_SECCOMP[machine], _FILTER, _NEW_LISTENER, ctypes.c_char_p(header))
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(listener)


def _receive(listener: int) -> tuple[int, str, Path | None] | None:
    """The next question: its number, call and the file that is written; None if the asker is gone."""
    question = bytearray(80)
    try:
        fcntl.ioctl(listener, _RECEIVE, question)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return None
        raise
    number, thread, _, call, _, _, *arguments = struct.unpack("QIIiIQ6Q", question)
    name, place = _numbers()[call]
    return number, name, _written(thread, name, place, arguments)


def _answer(listener: int, number: int, refuse: bool) -> None:
    answer = struct.pack("QqiI", number, 0, -errno.ENOSPC if refuse else 0, 0 if refuse else _CONTINUE)
    with suppress(FileNotFoundError):  # a signal took the asker away
        fcntl.ioctl(listener, _SEND, answer)


def _written(thread: int, call: str, place: int, arguments: list[int]) -> Path | None:
    """The file that a call writes; None of one that writes none, as to a pipe."""
    try:
        if call.startswith(("open", "mkdir", "link", "rename")):
            if (opens := call.startswith("open")) and not arguments[place + 1] & (os.O_CREAT | os.O_TRUNC):
                return None
            name = _text_at(thread, arguments[place])
            folder = f"/proc/{thread}/cwd"
            if "at" in call and (number := ctypes.c_int(arguments[place - 1]).value) >= 0:
                folder = f"/proc/{thread}/fd/{number}"
            path = Path(os.readlink(folder), name)
            if path.exists() and not call.startswith("rename") and not (opens and arguments[place + 1] & os.O_TRUNC):
                return None  # there already: nothing is written
        else:
            path = Path(os.readlink(f"/proc/{thread}/fd/{arguments[place]}"))
    except OSError:
        return None
    if not path.is_absolute() or path.parts[1] in ("dev", "proc", "sys"):
        return None
    return path


def _text_at(process: int, address: int) -> str:
    with open(f"/proc/{process}/mem", "rb", buffering=0) as memory:
        memory.seek(address)
        text = b""
        while b"\0" not in text and (part := memory.read(256 - (address + len(text)) % 256)):
            text += part
    return os.fsdecode(text.split(b"\0")[0])
