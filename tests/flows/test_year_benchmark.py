"""The benchmark of a year, a few days of it: what retention does not keep goes, and history ages."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.year.__main__ import report
from benchmarks.year.days import Calendar, live, without_history
from benchmarks.year.project import Language, Project, configuration, write_encoder
from benchmarks.year.sizes import Places
from spanloop.config import RetentionConfig

DAYS = 4


@pytest.fixture
def prefect_database(prefect_server: None) -> Path:
    from prefect.settings import get_current_settings

    return Path(str(get_current_settings().server.database.connection_url.get_secret_value()).partition(":///")[2])


def test_a_few_days(argilla_server, argilla_home, prefect_database, tmp_path, monkeypatch):
    monkeypatch.setenv("ARGILLA_API_KEY", argilla_server.api_key)
    language = Language()
    config = configuration(
        argilla_server.url, tmp_path.name, tmp_path / "store", write_encoder(tmp_path / "encoder", language)
    ).model_copy(update={"retention": RetentionConfig(models=2, snapshots=2, rounds=2)})
    places = Places(tmp_path / "store", tmp_path, argilla_home, prefect_database, tmp_path / "tmp", tmp_path / "hf")
    project = Project.begin(config, language, 40)
    project.annotate(30)
    days = list(live(project, places, Calendar(idle_every=2, aged_every=2), range(1, DAYS + 1)))

    assert [day["failed"] for day in days] == [""] * DAYS
    assert [day["round"] for day in days] == ["r0001", "r0002", "r0003", "r0004"]
    assert [day["submitted"] for day in days] == [33, 36, 39, 42]
    # A record with its manifest is two files, and two more what the last ones saw; an idle one prunes, too.
    assert [day["files"]["store: rounds"] for day in days] == [4, 6, 10, 6]
    with closing(sqlite3.connect(prefect_database)) as connection:
        (ended,) = connection.execute("SELECT min(end_time) FROM flow_run").fetchone()
    age = datetime.now(UTC) - datetime.fromisoformat(ended).replace(tzinfo=UTC)
    assert timedelta(days=DAYS) <= age < timedelta(days=DAYS, hours=1)

    control = without_history(project, tmp_path / "fresh", range(5, 6), submitted=3)
    report(tmp_path / "year.json", days, control)
    assert len(json.loads((tmp_path / "year.json").read_text())["days"]) == DAYS
    assert "store: rounds: 0." in (tmp_path / "year.svg").read_text()
