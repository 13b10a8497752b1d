"""A source that can be read only once: every record of it, or an error."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spanloop.config import LoopConfig
from spanloop.errors import DataError
from spanloop.importing import open_source, parse_records
from spanloop.importing.upload import check

LINES = "".join(json.dumps({"id": str(n), "text": f"text {n}"}) + "\n" for n in range(12)).encode()
READ = """
import sys
from spanloop.config import LoopConfig
from spanloop.importing import open_source, parse_records
from spanloop.importing.upload import check
table = open_source(sys.argv[1], sys.argv[2])
print(table.name, check(table, LoopConfig(), "nothing").records, len(list(parse_records(table, LoopConfig()))))
"""


@pytest.mark.parametrize("name", ["/dev/stdin", "-"])
def test_the_standard_input_is_read_whole(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", READ, name, "jsonl"], input=LINES, capture_output=True, check=True)
    assert done.stdout.split() == [b"/dev/stdin", b"12", b"12"]


def test_the_output_of_a_process_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(LINES)
    command = f'{sys.executable} -c "$READ" <(cat {tmp_path / "x.jsonl"}) jsonl'
    done = subprocess.run(["bash", "-c", command], env={**os.environ, "READ": READ}, capture_output=True, check=True)
    assert done.stdout.split()[1:] == [b"12", b"12"]


@pytest.mark.parametrize("content", [LINES, LINES * 0, LINES[:-5]])
def test_a_named_pipe(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pipe.jsonl"
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(content,), daemon=True).start()
    table = open_source(str(path))
    if content == LINES:
        assert check(table, LoopConfig(), "nothing").records == 12
        assert [r.where for r in parse_records(table, LoopConfig())][-1] == f"{path}, line 12"
    else:
        with pytest.raises(DataError, match=r"pipe\.jsonl"):
            check(table, LoopConfig(), "nothing")


def test_a_conll_pipe_names_its_records_after_what_it_held(tmp_path: Path) -> None:
    names = []
    for content in (b"Ada B-PER\n", b"Ada B-PER\n", b"Ben B-PER\n"):
        path = tmp_path / f"{len(names)}.conll"
        os.mkfifo(path)
        threading.Thread(target=path.write_bytes, args=(content,), daemon=True).start()
        names += [record.id for record in parse_records(open_source(str(path)), LoopConfig())]
    assert names[0] == names[1] != names[2]
