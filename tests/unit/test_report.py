"""`spanloop report`: the rounds of a store as a table and as a picture."""

import json
import shutil
import xml.etree.ElementTree as ET

import pytest
from rounds import a_round
from typer.testing import CliRunner

from spanloop.annotations.acceptance import Acceptance, VersionAcceptance
from spanloop.cli import app, register
from spanloop.cli.report import report
from spanloop.errors import ConfigError, StoreError
from spanloop.evaluation import evaluate
from spanloop.records import Example, Span
from spanloop.reports.chart import HEIGHT, WIDTH, Line, Mark, chart
from spanloop.reports.history import HEADER, Entry, entry_of, history, rows
from spanloop.reports.learning_curve import learning_curve
from spanloop.reports.summary import summary_rows
from spanloop.rounds.figures import CurvePoint
from spanloop.store import Store

SVG = "{http://www.w3.org/2000/svg}"


def scores(right, of=20):
    """The evaluation of a model that finds `right` of `of` spans, one a record."""
    examples = [Example(str(i), "ab", (Span(0, 1, "x"),)) for i in range(of)]
    found = {str(i): [Span(0, 1, "x")] if i < right else [] for i in range(of)}
    return evaluate(examples, found, ["x"])


def since(kept, suggested, submitted):
    precision, recall = kept / suggested, kept / submitted
    version = VersionAcceptance("m0001", 9, 3, suggested, submitted, kept, precision, recall, 0.0)
    return Acceptance((version,), 9)


ROUNDS = [
    a_round("r0001", "waiting", annotations={"annotated": 12}),
    a_round(
        "r0002",
        "promoted",
        champion="m0001-aaaaaaaa",
        annotations={"annotated": 60},
        evaluate={"challenger": scores(10)},
    ),
    a_round(
        "r0003",
        "kept",
        champion="m0001-aaaaaaaa",
        annotations={"annotated": 120, "acceptance_since": since(30, 40, 60)},
        evaluate={"champion": scores(15), "challenger": scores(5)},
    ),
]


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    for one in ROUNDS:
        content = json.dumps(one.model_dump(mode="json"))
        store.publish("rounds", one.round, lambda folder, c=content: (folder / "round.json").write_text(c))
    return store


@pytest.fixture
def configured(store, tmp_path, monkeypatch):
    """A working folder whose configuration names the store."""
    (tmp_path / "spanloop.yaml").write_text("store: store\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path


def test_the_model_in_service_is_what_a_round_shows(store):
    """After a challenger was kept out, the row shows the champion's figures, not the challenger's."""
    waiting, promoted, kept = history(store)
    assert (waiting.f1, waiting.accepted) == (None, None)
    assert promoted.f1 == pytest.approx(2 / 3)
    assert kept.f1 == pytest.approx(30 / 35)
    assert kept.low < kept.f1 < kept.high
    assert (kept.n_test, kept.kept, kept.suggested, kept.accepted) == (20, 30, 40, pytest.approx(0.6))


def test_the_luck_of_the_choice_is_taken_off():
    one = a_round(champion="m1", evaluate={"champion": scores(15)}, gate={"champion": "m1", "optimism": 0.02})
    plain = a_round(champion="m1", evaluate={"champion": scores(15)})
    corrected, entry = entry_of(one), entry_of(plain)
    for name in ("f1", "low", "high"):
        assert getattr(corrected, name) == pytest.approx(getattr(entry, name) - 0.02)
    said = dict(summary_rows(one))["in service"]
    assert said == "m1: F1 83.7 without the luck of its choice on these records"


def test_the_table_has_a_cell_for_every_heading(store):
    table = rows(history(store))
    assert {len(row) for row in table} == {len(HEADER)}
    assert table[0] == ("r0001", "waiting", "12", "-", "-", "-", "-")
    assert table[2][3].startswith("85.7 (")
    assert table[2][-2:] == ("30/40 75 %", "60.0")


def test_a_damaged_round_is_named(store):
    path = store.path("rounds", "r0002") / "round.json"
    path.chmod(0o644)
    path.write_text('{"round": 7}')
    with pytest.raises(StoreError, match=r"r0002/round.json is no record of a round; remove .*/r0002, nothing depends"):
        history(store)
    shutil.rmtree(path.parent)  # what the error says
    assert [entry.round for entry in history(store)] == ["r0001", "r0003"]


def test_the_command_prints_the_table_and_draws(configured):
    register()
    done = CliRunner().invoke(app, ["report", "--plot", "curve.svg"])
    assert done.exit_code == 0, done.output
    assert "r0003" in done.output
    assert "30/40 75 %" in done.output
    assert (configured / "curve.svg").read_text().startswith("<svg")


def test_a_store_without_rounds_says_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    report(config=None, plot=None)
    assert "no round yet" in capsys.readouterr().out


def test_a_picture_of_another_kind_is_refused(configured):
    with pytest.raises(ConfigError, match=r"curve.png: the picture is an SVG; name the file curve.svg"):
        report(config=None, plot=configured / "curve.png")


def test_a_place_that_cannot_be_written_is_one_line(configured):
    with pytest.raises(StoreError, match=r"gone/curve.svg cannot be written: No such file or directory"):
        report(config=None, plot=configured / "gone" / "curve.svg")


def points(document, colour):
    """Where the dots of one line are, left to right."""
    circles = ET.fromstring(document).iter(f"{SVG}circle")
    return [(float(c.get("cx")), float(c.get("cy"))) for c in circles if c.get("fill") == colour]


def test_the_curve_has_a_dot_for_every_known_figure(store):
    document = learning_curve(history(store))
    f1, accepted = points(document, "#0072b2"), points(document, "#d55e00")
    assert (len(f1), len(accepted)) == (2, 1)
    assert f1[0][0] < f1[1][0]  # more records: further right
    assert f1[0][1] > f1[1][1]  # higher F1: further up
    assert accepted[0][0] == f1[1][0]
    assert len(list(ET.fromstring(document).iter(f"{SVG}polygon"))) == 1


@pytest.mark.parametrize("annotated", [0, 1, 7, 99, 1234, 987_654])
def test_the_curve_stays_inside_its_frame(annotated):
    entry = Entry("r0001", "promoted", annotated, "m", 1.0, 0.0, 1.0, 5, 0.0, 1, 9)
    document = learning_curve([entry], title="a < b & c")
    for x, y in points(document, "#0072b2") + points(document, "#d55e00"):
        assert 0 <= x <= WIDTH
        assert 0 <= y <= HEIGHT
    labels = [t.text for t in ET.fromstring(document).iter(f"{SVG}text")]
    assert "a < b & c" in labels
    assert 2 <= sum(label.replace(",", "").isdigit() for label in labels) - 6 <= 12  # 6 ticks belong to the percents


def test_an_empty_curve_is_still_a_picture():
    assert ET.fromstring(learning_curve([])).tag == f"{SVG}svg"


FORECAST = [
    CurvePoint(annotated=n, low=f1 - 0.02, f1=f1, high=f1 + 0.02) for n, f1 in ((60, 0.5), (120, 0.6), (240, 0.65))
]


def test_the_forecast_goes_on_where_the_rounds_end(store):
    """A line and a band of their own, up to twice the labels, inside the frame."""
    without, drawn = learning_curve(history(store)), learning_curve(history(store), FORECAST)
    assert "forecast" not in without
    assert "forecast, 80 %" in drawn
    line = max((p.get("points") for p in ET.fromstring(drawn).iter(f"{SVG}polyline")), key=lambda x: x.split()[-1])
    assert float(line.split()[-1].split(",")[0]) > points(drawn, "#0072b2")[-1][0]
    assert float(line.split()[-1].split(",")[0]) <= WIDTH


def test_the_command_tells_when_to_stop(configured, capsys):
    """As the last round saw it."""
    outlook = {"next_batch": {"records": 125}, "missing": "a forecast needs 3 models, and there is 1"}
    last = a_round("r0004", "promoted", outlook=outlook)
    content = json.dumps(last.model_dump(mode="json"))
    Store(configured / "store").publish("rounds", "r0004", lambda f: (f / "round.json").write_text(content) and None)
    report(config=None, plot=None)
    assert "what 125 more records" in " ".join(capsys.readouterr().out.split())


def test_many_lines_stay_inside_the_frame_and_are_told_apart():
    lines = [Line(f"strategy {i}", [Mark(x, 0.6 + i / 50, "", 0.5, 0.9) for x in (10, 900)]) for i in range(11)]
    document = ET.fromstring(chart(lines, title="F1", x_label="words", zoom=True))
    drawn = [(line.get("stroke"), line.get("stroke-dasharray")) for line in document.iter(f"{SVG}polyline")]
    assert len(set(drawn)) == len(lines)
    corners = [corner for p in document.iter(f"{SVG}polygon") for corner in p.get("points").split()]
    heights = [float(corner.split(",")[1]) for corner in corners]
    names = [float(t.get("y")) for t in document.iter(f"{SVG}text") if t.text.startswith("strategy")]
    assert max(names) < min(heights)
    assert max(heights) <= HEIGHT
    ticks = [t.text for t in document.iter(f"{SVG}text") if t.get("text-anchor") == "end"]
    assert ticks == ["50", "60", "70", "80", "90", "%"]
