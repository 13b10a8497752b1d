"""Files that get new content whole, or keep the old."""

import errno
import os
import stat
from pathlib import Path
from socket import gaierror

import pytest

from spanloop.durable import copy_files, replace_file, replacing, told_as_store_errors
from spanloop.errors import StoreError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    replace_file(path, "old")
    return path


def test_a_text_comes_whole_or_in_pieces(file: Path) -> None:
    replace_file(file, "ä\n")
    assert file.read_text(encoding="utf-8") == "ä\n"
    replace_file(file, (f"{i}\n" for i in range(3)))
    assert file.read_text(encoding="utf-8") == "0\n1\n2\n"


def test_a_writer_that_fails_leaves_the_old_content_and_nothing_beside_it(file: Path) -> None:
    def fail() -> None:
        with replacing(file) as half:
            half.write(b"new")
            half.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(file.parent) == ["file"]
    assert file.read_text() == "old"


def test_permissions_are_those_asked_for_whatever_a_crash_left(file: Path) -> None:
    left = file.with_name(".file.tmp")
    left.write_text("half")
    left.chmod(0o666)
    with replacing(file, mode=0o600) as half:
        assert stat.S_IMODE(os.fstat(half.fileno()).st_mode) == 0o600
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


FULL = "cannot write it: No space left on device (place); free some space and run again"
REFUSED = "cannot write it: Permission denied (place); check the disk and the folder's permissions"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "in whatever language"), FULL),
        (RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"), FULL),
        (Exception("Permission denied (os error 13)"), REFUSED),
        (PermissionError(errno.EACCES, "no", "place"), REFUSED),
    ],
)
def test_whatever_a_disk_refuses_is_one_line(error: Exception, said: str) -> None:
    with pytest.raises(StoreError) as caught, told_as_store_errors("write it", Path("place")):
        raise error
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "error", [ConnectionResetError(errno.EPIPE, "reset"), gaierror(-2, "no name"), ValueError("no disk"), OSError()]
)
def test_what_is_not_of_a_disk_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, told_as_store_errors("write it", Path("place")):
        raise error
    assert caught.value is error


def test_files_are_copied_with_their_folders_but_for_some(tmp_path: Path) -> None:
    for name in ("a", "sub/b", "sub/.c", ".d", "checkpoint/e"):
        (path := tmp_path / "from" / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    copy_files(tmp_path / "from", tmp_path / "to", "checkpoint*", ".*")
    found = {str(x.relative_to(tmp_path / "to")): x.read_text() for x in (tmp_path / "to").rglob("*") if x.is_file()}
    assert found == {name: name for name in ("a", "sub/b", "sub/.c")}
