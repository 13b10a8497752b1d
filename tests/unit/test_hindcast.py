"""The hindcast over the results of rehearsals."""

import json
import sys

import pytest

from benchmarks import hindcast

HEAD = "strategy,seed,step,records,words,spans,f1,reported_f1,n_test\n"


def write_results(path, runs):
    """A rehearsal's results: F1 by records for each strategy and seed, the steps in no order."""
    rows = [
        f"{strategy},{seed},{step},{records},{9 * records},{records},{f1:.6f},,12\n"
        for (strategy, seed), points in runs.items()
        for step, (records, f1) in reversed(list(enumerate(points)))
    ]
    path.write_text(HEAD + "".join(rows))
    return path


RUN = [(50, 0.50), (75, 0.56), (110, 0.61), (165, 0.65), (250, 0.68)]


def test_runs_are_strategies_and_seeds_of_one_file(tmp_path):
    one = write_results(tmp_path / "a.csv", {("random", 0): RUN, ("random", 1): RUN, ("full", 0): RUN[-1:]})
    other = write_results(tmp_path / "b.csv", {("random", 0): RUN})
    runs = hindcast.read_runs([one, other])
    assert len(runs) == 4
    records, f1 = runs[(str(one), "random", "1")]
    assert list(zip(records, f1, strict=True)) == RUN


def test_every_step_from_the_third_on_is_held_against_what_came(tmp_path):
    path = write_results(tmp_path / "a.csv", {("random", 0): RUN})
    (run,) = hindcast.read_runs([path]).values()
    verdicts = list(hindcast.judge(*run))
    assert [(v.horizon, v.points) for v in verdicts] == [("next step", 3), ("doubled", 3), ("next step", 4)]
    assert verdicts[0].came == pytest.approx(0.04)
    assert verdicts[1].came == pytest.approx(0.07)  # 250 records: the nearest to 220
    assert all(v.held for v in verdicts)


def test_the_command_prints_how_much_was_held(tmp_path, monkeypatch, capsys):
    path = write_results(tmp_path / "a.csv", {("random", seed): RUN for seed in range(3)})
    monkeypatch.setattr(sys, "argv", ["hindcast", str(path), "--out", str(tmp_path / "out.json")])
    hindcast.main()
    assert "3 runs, 9 forecasts; the interval should hold 80 % of what came" in capsys.readouterr().out
    told = json.loads((tmp_path / "out.json").read_text())
    assert (told["level"], len(told["forecasts"])) == (0.8, 9)
    assert [row["held"] for row in told["summary"] if row["models"] == "all"] == [100.0, 100.0]


def test_a_file_that_is_no_rehearsals_is_one_line(tmp_path, monkeypatch, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    for path in (bad, tmp_path / "gone.csv"):
        monkeypatch.setattr(sys, "argv", ["hindcast", str(path), "--out", str(tmp_path / "out.json")])
        with pytest.raises(SystemExit):
            hindcast.main()
        assert path.name in capsys.readouterr().err.splitlines()[-1]
