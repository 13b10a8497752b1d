"""A strategy of the user's own: found by module or by file, and checked when the configuration is read."""

from pathlib import Path

import pytest

from spanloop.config import LoopConfig, SelectionConfig, SplitConfig
from spanloop.errors import ConfigError
from spanloop.records import Statistics
from spanloop.selection import Pending, prioritise, uncertainties
from spanloop.settings import load_config

SHORT_FIRST = """
from spanloop.selection import Strategy

def short_first(pool, rng):
    return [-len(record.text) for record in pool.records]

def of_passes(pool, rng):
    return pool.statistic("bald")

passes = Strategy(of_passes, needs="scoring.mc_dropout_passes")
typo = Strategy(of_passes, needs="scoring.passes")
short_unseen = Strategy(short_first, is_measure=False)
"""
PENDING = [Pending(name, name, "x" * n, Statistics(1, *[0.25] * 6)) for n, name in enumerate("cab", start=1)]


def load(folder: Path, strategy: str, code: str = SHORT_FIRST, **environ: str) -> LoopConfig:
    """The configuration of a folder with a `my_package.py` beside its `spanloop.yaml`."""
    (folder / "my_package.py").write_text(code)
    (folder / "spanloop.yaml").write_text(f"selection: {{strategy: '{strategy}'}}\n")
    return load_config(folder / "spanloop.yaml", environ)


def queue(config: SelectionConfig) -> list[str]:
    found = prioritise(PENDING, config, SplitConfig(validation=0, test=0))
    return sorted(found, key=found.__getitem__, reverse=True)


def test_a_file_beside_the_configuration_is_found_from_wherever_a_round_runs(tmp_path: Path) -> None:
    config = load(tmp_path, "my_package:short_first")
    assert config.selection.strategy == f"{tmp_path}/my_package.py:short_first"
    assert queue(config.selection) == ["c", "a", "b"]
    again = LoopConfig.model_validate_json(config.model_dump_json())  # as a flow's parameter
    assert queue(again.selection) == ["c", "a", "b"]


def test_a_module_that_python_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "installed_package.py").write_text(SHORT_FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    config = SelectionConfig(strategy="installed_package:short_first")
    assert config.strategy == "installed_package:short_first"
    assert queue(config) == ["c", "a", "b"]


def test_it_may_come_from_the_environment(tmp_path: Path) -> None:
    config = load(tmp_path, "mnlp", SPANLOOP_SELECTION__STRATEGY="my_package:short_first")
    assert queue(config.selection) == ["c", "a", "b"]


def test_a_file_named_like_a_library_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text(SHORT_FIRST)
    assert queue(load(tmp_path, "json:short_first").selection) == ["c", "a", "b"]
    assert LoopConfig.model_validate_json("{}") == LoopConfig()
    import json

    assert json.loads("1") == 1


def test_annotators_see_its_values_unless_they_are_no_measure(tmp_path: Path) -> None:
    seen, unseen = (load(tmp_path, f"my_package:{name}").selection for name in ("short_first", "short_unseen"))
    assert uncertainties(PENDING, seen, SplitConfig()) == {"c": -1, "a": -2, "b": -3}
    assert set(uncertainties(PENDING, unseen, SplitConfig()).values()) == {0.25}


def test_it_says_which_setting_it_needs(tmp_path: Path) -> None:
    given = load(tmp_path, "my_package:passes", SPANLOOP_SCORING__MC_DROPOUT_PASSES="3")
    assert given.scoring.mc_dropout_passes == 3
    with pytest.raises(ConfigError, match=r"needs scoring\.mc_dropout_passes, which is 0; set it"):
        load(tmp_path, "my_package:passes")
    with pytest.raises(ConfigError, match=r"needs scoring\.passes, which is no setting"):
        load(tmp_path, "my_package:typo")


@pytest.mark.parametrize(
    ("strategy", "code", "message"),
    [
        ("no_such_module:f", "", "there is no module 'no_such_module'; put no_such_module.py beside spanloop.yaml"),
        ("/no/such/file.py:f", "", "/no/such/file.py cannot be imported (FileNotFoundError"),
        ("my_package:f", "import no_such_library", "cannot be imported (ModuleNotFoundError: No module named"),
        ("my_package:f", "def f(:", "cannot be imported (SyntaxError: invalid syntax (my_package.py, line 1))"),
        ("my_package:f", "1 / 0", "cannot be imported (ZeroDivisionError"),
        ("my_package:f", "", "my_package.py holds no 'f'; name a function of it"),
        ("my_package:", "", "my_package.py holds no ''"),
        (":f", "", "cannot be imported"),
        ("my_package:f", "f = 3", "f is of type int; name a function of (pool, rng)"),
        ("my_package:f", "def f(pool): ...", "f cannot be called with (pool, rng): too many positional arguments"),
        ("my_package:f", "def f(pool, rng, more): ...", "missing a required argument: 'more'"),
    ],
)
def test_a_mistake_is_one_line_when_the_configuration_is_read(
    strategy: str, code: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, strategy, code)
    assert message in str(caught.value)
    assert "spanloop.yaml: selection.strategy" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("returned", "shown"),
    [
        ("[1.0]", "a list"),
        ("rng.random((3, 1))", "an array of shape (3, 1)"),
        ("'abc'", "a str"),
        ("None", "a NoneType"),
    ],
)
def test_values_that_are_not_one_a_record_are_told(returned: str, shown: str, tmp_path: Path) -> None:
    config = load(tmp_path, "my_package:f", f"def f(pool, rng):\n    return {returned}\n")
    with pytest.raises(ConfigError) as caught:
        queue(config.selection)
    assert f"f returned {shown} for 3 records; return one number a record" in str(caught.value)
