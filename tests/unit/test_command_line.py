"""Whatever the machine around it does: a command works, or says one line and ends with 2."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from spanloop.argilla import ArgillaClient
from spanloop.errors import ArgillaError
from spanloop.processes.ports import past_proxies, unusable_proxies

COMMAND = f'{sys.executable} -c "from spanloop.cli import main; main()"'
NOBODY = f'{sys.executable} -c "import os; os.path.expanduser = str; from spanloop.cli import main; main()"'
"""The command, for a user id without an entry: nobody's home is known."""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (f"{COMMAND} store verify > /dev/full", "No space left on device"),
        (f"mkdir gone; cd gone; rmdir ../gone; {COMMAND} store verify", "No such file or directory"),
        (f"unset HOME SPANLOOP_HOME; {NOBODY} argilla status", "set SPANLOOP_HOME to a folder"),
        (f"touch store; {COMMAND} store verify", "store/champion.json: Not a directory"),
    ],
)
def test_what_the_system_refuses_is_one_line(line: str, named: str, tmp_path: Path) -> None:
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert named in done.stderr


def test_addresses_in_brackets_need_no_proxy_either() -> None:
    """`NO_PROXY=[::1]`, as some images set it, ends every request of httpx."""
    found = past_proxies({"NO_PROXY": "[::1],.example.org", "no_proxy": " 10.0.0.0/8 "})
    assert found["NO_PROXY"] == found["no_proxy"] == "::1,.example.org,10.0.0.0/8,127.0.0.1,localhost"
    assert past_proxies({"NO_PROXY": "*"})["no_proxy"].split(",")[0] == "*"


SOCKS = {"ALL_PROXY": "socks5://127.0.0.1:9", "https_proxy": "SOCKS5h://127.0.0.1:9", "HTTP_PROXY": "http://x:9"}


def test_a_socks_proxy_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanloop.processes.ports.find_spec", lambda name: None)
    assert unusable_proxies(SOCKS) == ["ALL_PROXY", "https_proxy"]
    monkeypatch.setattr("spanloop.processes.ports.find_spec", lambda name: name)
    assert unusable_proxies(SOCKS) == []


@pytest.mark.parametrize("proxy", ["ht!tp://x", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used_is_one_line_and_bars_no_server_of_this_machine(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in os.environ.keys() & {"NO_PROXY", "no_proxy"}:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises((ImportError, ValueError)):
        httpx.Client()
    with pytest.raises(ArgillaError, match=r"http://argilla\.example cannot be asked \(.*ALL_PROXY") as caught:
        ArgillaClient("http://argilla.example", "owner.key")
    assert "\n" not in str(caught.value)
    ArgillaClient("http://127.0.0.1:9", "owner.key").close()
