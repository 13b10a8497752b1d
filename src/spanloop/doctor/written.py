"""Checks of what somebody wrote: the configuration, and the variables that override it."""

import os
from collections.abc import Iterator

from spanloop.doctor.health_check import Finding, HealthCheck, note
from spanloop.doctor.set_up import SetUp
from spanloop.settings import overrides


def _configuration(set_up: SetUp) -> Iterator[Finding]:
    config, problems = set_up.read
    if config is None:
        yield from map(Finding, problems)


def _settings(set_up: SetUp) -> Iterator[Finding]:
    _, problems = set_up.read
    yield from (Finding(f"{problem}; the checks below take its default") for problem in problems)
    config = set_up.config
    if not config.task.labels:
        yield Finding("task.labels is empty; name the span labels in spanloop.yaml, e.g. labels: [person, place]")
    if config.splits.test == 0:
        yield Finding("splits.test is 0, so that no model can ever be judged; set it to e.g. 0.1")
    if config.task.min_submitted > 1 and config.annotations.strategy == "latest":
        yield note(
            f"task.min_submitted is {config.task.min_submitted}, and annotations.strategy latest takes one of the "
            "responses; majority takes all"
        )


def _variables(set_up: SetUp) -> Iterator[Finding]:
    overriding, ignored = overrides(set_up.environ)
    if overriding:
        yield note(f"override the file: {', '.join(overriding)}")
    for name in ignored:
        yield Finding(f"{name} means no setting and is ignored; unset it, or write e.g. SPANLOOP_TRAINING__SEED")


def _home(set_up: SetUp) -> Iterator[Finding]:
    home = set_up.home
    if bad := sorted({"%", "?"} & set(str(home))):
        yield Finding(f"{home}: the local Argilla takes no {bad[0]!r} in its path; set SPANLOOP_HOME elsewhere")
    there = next(x for x in (home, *home.parents) if x.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding(f"{there} cannot be written; SPANLOOP_HOME chooses another place")


CHECKS = (
    HealthCheck("configuration", _configuration),
    HealthCheck("settings", _settings, needs=("configuration",)),
    HealthCheck("variables", _variables),
    HealthCheck("home", _home),
)
