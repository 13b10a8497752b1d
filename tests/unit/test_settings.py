"""The configuration: file, environment, and the one line that a mistake gets."""

from pathlib import Path

import pytest

from spanloop.config import LoopConfig
from spanloop.errors import ConfigError
from spanloop.settings import home, load_config
from spanloop.store import Store


def write(folder: Path, text: str) -> Path:
    path = folder / "spanloop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_valid_and_every_field_has_a_description() -> None:
    schema = LoopConfig.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    missing = [
        f"{section['title']}.{name}"
        for section in sections
        for name, field in section["properties"].items()
        if "description" not in {**schema["$defs"].get(field.get("$ref", "").removeprefix("#/$defs/"), {}), **field}
    ]
    assert missing == []


def test_file_then_environment(tmp_path: Path) -> None:
    path = write(tmp_path, "task: {labels: [PER, LOC]}\ntraining: {learning_rate: 1.0e-5, num_train_epochs: 3}\n")
    environ = {"SPANLOOP_TRAINING__LEARNING_RATE": "3e-4", "SPANLOOP_TASK__LABELS": "[ORG]", "SPANLOOP_HOME": "/x"}
    config = load_config(path, environ)
    assert config.task.labels == ["ORG"]
    assert config.training.learning_rate == pytest.approx(3e-4)
    assert config.training.num_train_epochs == 3


@pytest.mark.parametrize("text", ["2024", "true", "", "Mark: people", "- people", "[people", "null"])
def test_text_of_a_variable_stays_text(text: str) -> None:
    assert load_config(None, {"SPANLOOP_TASK__GUIDELINES": text}).task.guidelines == text


def test_a_variable_is_what_its_field_needs() -> None:
    environ = {"SPANLOOP_HUB__PRIVATE": "no", "SPANLOOP_TASK": "{labels: ['1']}", "SPANLOOP_TASK__MIN_SUBMITTED": "2"}
    config = load_config(None, environ)
    assert (config.hub.private, config.task.labels, config.task.min_submitted) == (False, ["1"], 2)


@pytest.mark.parametrize(("name", "value"), [("TASK__LABELS", "{a"), ("STORE__X", "1"), ("TRAINING__SEED", "x")])
def test_a_mistake_in_a_variable_is_one_line(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(None, {f"SPANLOOP_{name}": value})
    assert str(caught.value).startswith(f"SPANLOOP_{name}")  # not the file, which says nothing of it
    assert "\n" not in str(caught.value)


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "encoder").mkdir()
    path = write(tmp_path, "store: data/store\ntraining: {model_name_or_path: encoder}\n")
    config = load_config(path, {})
    assert config.store == str(tmp_path / "data/store")
    assert config.training.model_name_or_path == str(tmp_path / "encoder")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("training: {learning_rate: 7}", "training.learning_rate = 7"),
        ("trainin: {}", "trainin"),
        ("task: {labels: [PER, PER]}", "'PER' stands twice"),
        ("splits: {validation: 0.5, test: 0.5}", "less than 0.2 for training"),
        ("training: {max_length: 64, stride: 60}", "stride 60"),
        ("scoring: {mc_dropout_passes: 1}", "one pass cannot disagree with itself; set 0, or 2 or more"),
        ("selection: {strategy: bald}", "bald needs scoring.mc_dropout_passes, which is 0; set it"),
        ("selection: {strategy: mnpl}", "'mnpl'; there are random, least_confidence, margin"),
        ("selection: {steps: {duplicate: 1}}", "there is no step 'duplicate'; there are cost, duplicates"),
        ("selection: {steps: {duplicates: 2}}", "selection.steps.duplicates = 2: Input should be less than or equal"),
        ("argilla: {api_url: 'http://127.0.0.1:99999'}", "is no address (Port out of range 0-65535)"),
        ("argilla: {api_url: 'http://['}", "is no address (Invalid IPv6 URL)"),
        ("argilla: {api_url: 'http://'}", "is not where Argilla's page is"),
        ("argilla: {api_url: 'http://127.0.0.1:6900/api/v1/'}", "without /api"),
        ('store: "a\\0b"', "no path holds U+0000"),
        ("task: {labels: [NO]}", "task.labels.0 = False: Input should be a valid string: put it into quotes"),
        ("task: {labels: PER}", "Input should be a valid list, e.g. [a, b]"),
        ("store: a\nstore: b", "not valid YAML at line 2 ('store' stands twice)"),
        ("task: {labels: [a], labels: [b]}", "'labels' stands twice"),
        ("? [a]\n: b", "not valid YAML"),
        ("[" * 3000, "not valid YAML"),
        ("task: [", "not valid YAML at line"),
        ("- just\n- a list", "holds list"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text), {})
    message = str(caught.value)
    assert named in message
    assert "spanloop.yaml" in message
    assert "\n" not in message


def test_a_named_file_that_is_missing_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="spanloop init"):
        load_config(tmp_path / "other.yaml", {})


def test_home_is_a_variable_or_a_dot_folder() -> None:
    assert home({"SPANLOOP_HOME": "/srv/spanloop"}) == Path("/srv/spanloop")
    assert home({}).name == ".spanloop"


def test_a_tilde_is_spelled_out_wherever_a_path_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "enc").mkdir()
    path = write(tmp_path, "store: ~/store\ntraining: {model_name_or_path: ~/enc}\n")
    config = load_config(path, {})
    assert (config.store, config.training.model_name_or_path) == (str(tmp_path / "store"), str(tmp_path / "enc"))
    assert home({}) == tmp_path / ".spanloop"


def test_a_tilde_without_a_home_is_one_line_with_a_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user id without an entry
    for ask in (lambda: home({}), lambda: Store("~/store"), lambda: load_config(write(tmp_path, "store: ~/s"), {})):
        with pytest.raises(ConfigError, match="set SPANLOOP_HOME to a folder") as caught:
            ask()
        assert "\n" not in str(caught.value)
    assert home({"SPANLOOP_HOME": str(tmp_path)}) == tmp_path
    assert load_config(write(tmp_path, "store: s"), {}).store == str(tmp_path / "s")
