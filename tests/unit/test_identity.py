"""The same data, settings and start give the same model; anything that changes the weights gives another."""

import pytest

from spanloop.config import LoopConfig
from spanloop.records import Annotation, Span
from spanloop.rounds.identity import changed_setting, fingerprints, model_key, settings_of

CONFIG = LoopConfig()


def with_training(**fields):
    return CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update=fields)})


def test_a_model_key_depends_on_what_changes_the_weights():
    keys = {
        model_key("v0001-aaaaaaaa", CONFIG, None),
        model_key("v0002-bbbbbbbb", CONFIG, None),
        model_key("v0001-aaaaaaaa", CONFIG, "m0001-cccccccc"),
        model_key("v0001-aaaaaaaa", with_training(seed=1), None),
    }
    assert len(keys) == 4


@pytest.mark.parametrize("fields", [{"report_to": ["tensorboard"]}, {"num_processes": 2}])
def test_a_model_key_ignores_what_does_not(fields):
    assert model_key("v1", with_training(**fields), None) == model_key("v1", CONFIG, None)


def test_the_setting_that_changed_is_named():
    before, after = settings_of(CONFIG), settings_of(with_training(seed=1))
    assert changed_setting(before, before) is None
    assert changed_setting(before, after) == "training.seed"


def test_settings_that_change_nothing_are_left_out():
    elsewhere = CONFIG.model_copy(
        update={"store": "/elsewhere", "argilla": CONFIG.argilla.model_copy(update={"api_key_env": "OTHER"})}
    )
    assert changed_setting(settings_of(CONFIG), settings_of(elsewhere)) is None


def test_a_fingerprint_follows_spans_and_text_and_not_who_annotated():
    def one(text="Anna", end=4, annotators=("u1",)):
        return fingerprints([Annotation("1", text, "1", (Span(0, end, "person"),), annotators, None)])["1"]

    assert one() == one(annotators=("u2",))
    assert len({one(), one(end=3), one(text="Anne")}) == 3
