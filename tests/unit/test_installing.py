"""Installing with uv and with pip: pip's settings told to uv, the output followed, and both run on tiny real wheels."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from spanloop.errors import ServiceError
from spanloop.installing import pip_settings
from spanloop.installing.installer import Installer, make_empty
from spanloop.installing.output import DiskFull, Follower, IndexSilent, failure

ROOT = Path(__file__).parents[2]
LISTED = r"""
:env:.default-timeout='12.5'
:env:.find-links='/usr /no/wheels https://wheels.example'
global.cert='/etc/ca.pem'
global.constraint='a.txt\nb.txt'
global.extra-index-url='\nhttps://me:secret@one.example/simple\n  file:///two/simple'
global.find-links='/old'
global.index-url='https://zero.example/simple'
global.no-binary='numpy,scipy pandas'
install.index-url='https://first.example/simple?a=b'
list.format='columns'
install.empty=''
"""
SETTINGS = {
    "cert": "/etc/ca.pem",
    "constraint": "a.txt\nb.txt",
    "extra-index-url": "https://me:secret@one.example/simple\n  file:///two/simple",
    "find-links": "/usr /no/wheels https://wheels.example",
    "index-url": "https://first.example/simple?a=b",
    "no-binary": "numpy,scipy pandas",
    "timeout": "12.5",
}


def test_variables_go_over_the_section_of_install_and_that_over_global():
    assert pip_settings.read_pip_settings(LISTED) == SETTINGS


def test_what_pip_prints_is_what_is_read(tmp_path):
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nextra-index-url =\n    https://a.example/simple\n    https://b.example/it's\n")
    environ = {"PIP_CONFIG_FILE": str(config), "PIP_FIND_LINKS": "/usr  /etc", "PATH": ""}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], env=environ, capture_output=True, text=True, check=True
    )
    told = pip_settings.uv_environ(pip_settings.read_pip_settings(listed.stdout), {})
    assert told["UV_INDEX"].endswith("https://a.example/simple https://b.example/it's")
    assert told["UV_FIND_LINKS"] == "/usr,/etc"


def test_uv_is_told_in_its_own_words():
    assert pip_settings.uv_environ(SETTINGS, {"HOME": "/me"}) == {
        "HOME": "/me",
        "UV_DEFAULT_INDEX": "https://first.example/simple?a=b",
        "UV_INDEX": "https://me:secret@one.example/simple file:///two/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_FIND_LINKS": "/usr,https://wheels.example",
        "UV_HTTP_TIMEOUT": "12",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }
    assert pip_settings.uv_options(SETTINGS) == [
        *("--constraint", "a.txt", "--constraint", "b.txt"),
        *("--no-binary", "numpy", "--no-binary", "scipy", "--no-binary", "pandas"),
    ]


def test_a_pip_without_configuration_changes_nothing_for_uv():
    assert pip_settings.uv_environ({}, {"HOME": "/me"}) == {"HOME": "/me"}
    assert pip_settings.uv_options({}) == []


def test_uv_own_variables_stay():
    own = {"UV_DEFAULT_INDEX": "https://mine.example", "UV_CACHE_DIR": "/cache"}
    assert pip_settings.uv_environ({"index-url": "https://first.example"}, own) == own


def test_one_index_takes_the_place_of_all_and_the_rest_stays():
    only = pip_settings.settings_for_index(SETTINGS, "https://torch.example")
    assert only["index-url"] == "https://torch.example"
    assert not {"extra-index-url", "find-links"} & set(only)
    assert only["cert"] == "/etc/ca.pem"
    environ = pip_settings.pip_environ(only, {"PIP_FIND_LINKS": "/wheels", "HOME": "/me"})
    assert "PIP_FIND_LINKS" not in environ
    assert (environ["HOME"], environ["PIP_CERT"], environ["PIP_TIMEOUT"]) == ("/me", "/etc/ca.pem", "12.5")


UV_SAYS = """Using Python 3.11.7 environment at: .venv
Resolved 3 packages in 1.36s
Downloading numpy (512.0KiB)
Downloading torch (1.0GiB)
Building seqeval==1.2.2
Downloaded torch
Downloaded numpy
Prepared 3 packages in 4.46s
Installed 3 packages in 501ms
+ torch==2.13.0"""
PIP_SAYS = """Collecting torch>=2.13 (from spanloop==0.1.0)
Downloading torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl (191.8 MB)
Processing /wheels/numpy-2.4.6-cp311-cp311-linux_x86_64.whl (from torch)
Installing collected packages: numpy, torch
Successfully installed numpy-2.4.6 torch-2.13.0+cpu"""


@pytest.mark.parametrize(
    ("says", "whats"),
    [
        (
            UV_SAYS,
            [
                *("resolved 3 packages, fetching what is not at hand", "fetching numpy (0 MiB)"),
                *("fetching torch (1024 MiB) and 1 more", "fetching numpy (0 MiB)"),
                *("installing 3 packages", "installed 3 packages, compiling"),
            ],
        ),
        (
            PIP_SAYS,
            [
                *("fetching torch", "fetching torch (191.8 MB)", "fetching numpy"),
                *("installing 2 packages", "installed 2 packages"),
            ],
        ),
    ],
    ids=["uv", "pip"],
)
def test_the_output_says_how_far_it_is(says, whats):
    told: list[tuple[str, float]] = []
    follow = Follower(lambda what, share: told.append((what, share)), expected=2, last=", compiling")
    for line in says.splitlines():
        follow(line)
    assert [what for what, _ in told] == whats
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", DiskFull, "1 GB"),
        ("error: Failed to write\n  Caused by: No space left on device (os error 28)", DiskFull, "make room"),
        (
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken\nERROR: No matching distribution",
            IndexSilent,
            "https://****@first.example does not answer",
        ),
        (
            "error: Request failed after 3 retries\nCaused by: error sending request for url (https://first.example)",
            IndexSilent,
            "proxy",
        ),
        (
            "× No solution found:\n╰─▶ Because there is no version of torch==9,\n   you lose.",
            ServiceError,
            "No solution found: Because there is no version of torch==9, you lose.",
        ),
        ("ERROR: No matching distribution found for x\nmore", ServiceError, "No matching distribution found for x"),
        ("", ServiceError, "no output"),
    ],
)
def test_why_it_gave_up_is_one_line(says, kind, words):
    error = failure([x.strip() for x in says.splitlines()], "https://me:secret@first.example", "1 GB free")
    assert type(error) is kind
    assert words in str(error)
    assert "\n" not in str(error)
    assert "secret" not in str(error)


def write_wheel(folder: Path, name: str, version: str, needs: str = "") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name}-{version}"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "")
        wheel.writestr(f"{stem}.dist-info/METADATA", metadata + (f"Requires-Dist: {needs}\n" if needs else ""))
        wheel.writestr(f"{stem}.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nTag: py3-none-any\n")
        wheel.writestr(f"{stem}.dist-info/RECORD", "")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_empty(tmp_path_factory.mktemp("empty") / "env").parent.parent


@pytest.fixture
def python(empty: Path, tmp_path: Path) -> Path:
    return shutil.copytree(empty, tmp_path / "env", symlinks=True) / "bin" / "python"


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_torch_alone_comes_from_the_index_that_is_named(installer, python, tmp_path, monkeypatch):
    if installer == "uv" and not Path(sys.executable).with_name("uv").exists():
        pytest.skip("this environment was made without uv")
    links, index = tmp_path / "wheels", tmp_path / "index" / "simple"
    write_wheel(links, "torch", "2.0.0+gpu")
    write_wheel(links, "loop", "1.0", needs="torch>=2")
    for name, version in (("torch", "2.0.0+cpu"), ("loop", "2.0")):  # PEP 503: a folder a package, with links
        write_wheel(index / name, name, version)
        wheel = f"{name}-{version}-py3-none-any.whl".replace("+", "%2B")
        (index / name / "index.html").write_text(f'<a href="{wheel}">{name}</a>')
    (tmp_path / "pins.txt").write_text("torch==2.0.0\n")
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(links)}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("SPANLOOP_INSTALLER", installer)

    told: list[str] = []
    there = Installer(python, tmp_path / "pins.txt", tmp_path / "log", lambda what, share: told.append(what))
    there.install("--no-deps", "torch", index=index.as_uri())
    there.install("loop")

    frozen = subprocess.run([python, "-m", "pip", "freeze"], capture_output=True, text=True, check=True).stdout
    assert frozen.split() == ["loop==1.0", "torch==2.0.0+cpu"]
    assert not [x for x in told if "going on with pip" in x]


def test_without_a_uv_in_reach_pip_does_it(python, tmp_path, monkeypatch):
    write_wheel(tmp_path / "wheels", "loop", "1.0")
    (tmp_path / "pins.txt").touch()
    for name, value in {"CONFIG_FILE": "/dev/null", "NO_INDEX": "1", "FIND_LINKS": str(tmp_path / "wheels")}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("SPANLOOP_INSTALLER", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    told: list[str] = []
    Installer(python, tmp_path / "pins.txt", tmp_path / "log", lambda what, share: told.append(what)).install("loop")
    assert told[0] == "fetching uv"
    assert told[1].startswith("going on with pip, uv is not to be had: Could not find a version")
    assert told[-1] == "installed 1 package"


def test_the_script_runs_on_a_bare_python_and_says_in_one_line_what_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    command = [sys.executable, "-I", "-S", ROOT / ".ci" / "make_venv.py", tmp_path / "file"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("setup: ")
