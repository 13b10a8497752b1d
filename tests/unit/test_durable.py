"""Files that get new content whole, or keep the old."""

import os
import stat
from pathlib import Path

import pytest

from spanloop.durable import replace_file, replacing


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
