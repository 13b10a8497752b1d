"""What every query strategy, every step and every reader keeps, whichever are registered."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from format_samples import EXPECTED, SAMPLES

from spanloop.cli.template import commented_yaml
from spanloop.config import LoopConfig, SelectionConfig, SplitConfig
from spanloop.errors import DataError
from spanloop.importing import READERS, Imported, Row, open_source, parse_records
from spanloop.importing.upload import check
from spanloop.records import Statistics
from spanloop.selection import STEPS, STRATEGIES, Pending, Pool, prioritise
from spanloop.selection.pool import ranks

ALL_TRAIN = SplitConfig(validation=0.0, test=0.0)
MEASURES = [field.name for field in fields(Statistics) if field.name not in ("n_words", "label_doubt")]


def scored(n, unscored=(), same=False):
    """n records with random statistics, or the same ones; the indices in `unscored` have none."""
    rng = np.random.default_rng(0)
    values = np.full((n, len(MEASURES)), 0.5) if same else rng.random((n, len(MEASURES)))
    measured = [
        Statistics(10, **dict(zip(MEASURES, row, strict=True)), label_doubt={"": row[0], "place": row[1]})
        for row in values.tolist()
    ]
    return [Pending(f"r{i:03}", f"g{i}", f"text {i}", None if i in unscored else measured[i]) for i in range(n)]


def in_order(priorities):
    return sorted(priorities, key=priorities.get, reverse=True)


def served(strategy, pending, seed=0):
    """Ids in the order in which annotators see them; no record is held out."""
    return in_order(prioritise(pending, SelectionConfig(strategy=strategy, seed=seed), ALL_TRAIN))


@pytest.mark.parametrize("name", STRATEGIES)
class TestEveryStrategy:
    def test_one_value_a_record_and_none_for_what_the_model_has_not_scored(self, name):
        values = STRATEGIES[name].values(Pool(scored(30, unscored={3, 4})), np.random.default_rng(0))
        assert values.shape == (30,)
        assert values.dtype == np.float64
        assert np.flatnonzero(~np.isfinite(values)).tolist() == ([3, 4] if STRATEGIES[name].is_measure else [])

    def test_no_records_no_values(self, name):
        assert STRATEGIES[name].values(Pool([]), np.random.default_rng(0)).shape == (0,)

    def test_the_same_generator_gives_the_same_values(self, name):
        pool = Pool(scored(30))
        first, second = (STRATEGIES[name].values(pool, np.random.default_rng(7)) for _ in range(2))
        assert (first == second).all()

    def test_a_value_is_the_record_s_wherever_it_stands(self, name):
        """Where nothing is drawn from the generator."""
        pending, rng = scored(30), np.random.default_rng(0)
        before = rng.bit_generator.state
        values = STRATEGIES[name].values(Pool(pending), rng)
        if rng.bit_generator.state == before:
            assert STRATEGIES[name].values(Pool(pending[::-1]), rng) == pytest.approx(values[::-1])
        else:
            assert not STRATEGIES[name].is_measure

    def test_more_uncertainty_is_more_informative(self, name):
        sure = Statistics(5, 0.1, 0.2, 0.1, 0.1, 0.1, 0.01, {"": 0.5})
        unsure = Statistics(5, 0.9, 0.9, 1.2, 0.7, 1.5, 0.3, {"": 3.0, "place": 0.5})
        pool = Pool([Pending("a", "a", "", sure), Pending("b", "b", "", unsure)])
        low, high = STRATEGIES[name].values(pool, np.random.default_rng(0))
        assert high > low or not STRATEGIES[name].is_measure

    def test_every_record_gets_one_priority_evenly_spaced(self, name):
        pending = scored(50, unscored=range(10, 20))
        priorities = prioritise(pending, SelectionConfig(strategy=name), SplitConfig())
        assert set(priorities) == {r.id for r in pending}
        assert sorted(priorities.values()) == pytest.approx([(i + 1) / 50 for i in range(50)])

    def test_the_order_of_the_records_does_not_matter_and_the_seed_does(self, name):
        pending = scored(60, unscored={1, 2, 3, 4, 5})
        assert served(name, pending) == served(name, pending[::-1]) != served(name, pending, seed=1)

    def test_records_without_a_score_come_last(self, name):
        order = served(name, scored(60, unscored=range(0, 60, 3)))
        last = sorted(i for i in order[40:] if int(i[1:]) % 3 == 0)
        assert len(last) == 20 or not STRATEGIES[name].is_measure

    def test_equal_scores_are_served_in_random_order(self, name):
        places = [int(i[1:]) for i in served(name, scored(200, same=True))]
        assert abs(np.corrcoef(places, range(200))[0, 1]) < 0.2

    def test_users_read_its_name(self, name):
        assert name in SelectionConfig.model_json_schema()["properties"]["strategy"]["description"]
        assert f"{name}," in commented_yaml([])
        assert SelectionConfig(strategy=name).strategy == name


def mixed(n):
    """Records of two kinds of text, some of them repeated, of 7 documents and all lengths."""
    rng = np.random.default_rng(1)
    words = [["time", "year", "people", "way", "day"], ["gene", "cell", "drug", "dose", "assay"]]
    texts = [" ".join(rng.choice(words[i % 2], 4 + i % 11)) + f" {i}" for i in range(n // 2)] * 2
    return [
        Pending(f"r{i}", f"g{i % 7}", text, Statistics(len(text.split()), *[0.5] * 6)) for i, text in enumerate(texts)
    ]


@pytest.mark.parametrize("name", STEPS)
class TestEveryStep:
    @pytest.mark.parametrize("strength", [0.3, 1.0])
    def test_values_stay_in_their_interval_and_records_in_their_places(self, name, strength):
        values = ranks(np.random.default_rng(0).random(50))
        before = values.copy()
        after = STEPS[name](values, Pool(mixed(50)), strength)
        assert after.shape == (50,)
        assert after.dtype == np.float64
        assert ((after > 0) & (after <= 1)).all()
        assert (values == before).all()

    def test_strength_0_changes_no_order_and_strength_1_does(self, name):
        values = ranks(np.random.default_rng(0).random(50))
        before, off, full = (
            np.argsort(-v, kind="stable").tolist()
            for v in (values, *(STEPS[name](values, Pool(mixed(50)), s) for s in (0.0, 1.0)))
        )
        assert off == before != full

    def test_records_that_are_alike_keep_their_order(self, name):
        alike = [Pending(f"r{i}", "g", "the same text", Statistics(3, *[0.5] * 6)) for i in range(20)]
        assert np.argsort(-STEPS[name](np.ones(20), Pool(alike), 0.5), kind="stable").tolist() == list(range(20))

    @pytest.mark.parametrize("n", [0, 1])
    def test_none_and_one(self, name, n):
        after = STEPS[name](np.ones(n), Pool(mixed(2)[:n]), 0.5)
        assert after.shape == (n,)
        assert ((after > 0) & (after <= 1)).all()

    def test_records_without_statistics_are_possible(self, name):
        """As under the strategy `random` before the first model."""
        pending = [Pending(f"r{i}", "g", text) for i, text in enumerate(["", "a b", "long " * 50])]
        assert np.isfinite(STEPS[name](np.array([1.0, 0.6, 0.3]), Pool(pending), 0.5)).all()

    def test_users_read_what_it_does(self, name):
        described = SelectionConfig.model_json_schema()["properties"]["steps"]["description"]
        assert f"({name}) {(STEPS[name].__doc__ or '').splitlines()[0]}" in described
        assert f"({name})" in commented_yaml([])
        assert SelectionConfig(steps={name: 0.5}).steps == {name: 0.5}


WITHOUT_GROUPS = {"brat"}


def ending(name: str) -> str:
    """The first ending of a reader, or of the general one that it is within."""
    reader = READERS[name]
    return next(iter(reader.endings or (READERS[reader.within].endings if reader.within else ())), "")


def read(path: Path, kind: str = "") -> list[Imported]:
    config = LoopConfig.model_validate({"task": {"labels": ["person", "place"]}})
    return list(parse_records(open_source(str(path), kind), config, annotated=True))


def said(records: list[Imported]) -> list[tuple[str, object]]:
    return [(record.text, record.spans) for record in records]


@pytest.fixture
def sample(name: str, tmp_path: Path) -> Path:
    path, content = tmp_path / f"sample{ending(name)}", SAMPLES[name]
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        content(path)
    return path


@pytest.mark.parametrize("name", READERS)
class TestEveryReader:
    def test_it_reads_what_every_other_reads(self, name, sample):
        records = read(sample, name)
        assert said(records) == EXPECTED
        assert len({record.id for record in records}) == 3
        assert (records[0].group == records[1].group) != (name in WITHOUT_GROUPS)
        assert records[1].group != records[2].group
        assert read(sample) == records  # recognised without being named

    def test_every_row_says_where_it_stands_and_has_its_columns(self, name, sample):
        table = open_source(str(sample), name)
        found: list[Row] = list(table.rows())
        assert len({row.where for row in found}) == 3
        assert all(row.where.startswith(str(sample)) and row.where[-1].isdigit() for row in found)
        assert all(list(row.values) == list(table.columns) for row in found if table.columns)
        assert list(table.rows()) == found

    def test_an_empty_file_is_one_line_that_names_it(self, name, tmp_path):
        path = tmp_path / f"empty{ending(name)}"
        path.write_bytes(b"")
        with pytest.raises(DataError, match="empty") as caught:
            check(open_source(str(path), name), LoopConfig(), "nothing")
        assert "\n" not in str(caught.value)

    def test_a_file_that_is_not_there_is_one_line_that_names_it(self, name, tmp_path):
        with pytest.raises(DataError, match=r"missing\.xyz") as caught:
            open_source(str(tmp_path / "missing.xyz"), name)
        assert "\n" not in str(caught.value)

    def test_its_endings_are_its_own(self, name):
        others = {ending for other in READERS.values() for ending in other.endings if other.name != name}
        assert others.isdisjoint(READERS[name].endings)
        assert all(ending == ending.lower() and ending.startswith(".") for ending in READERS[name].endings)


@pytest.mark.parametrize("name", [name for name, content in SAMPLES.items() if isinstance(content, str)])
def test_line_ends_of_windows_and_a_byte_order_mark_change_nothing(name: str, sample: Path) -> None:
    records = read(sample)
    sample.write_bytes(b"\xef\xbb\xbf" + sample.read_bytes().replace(b"\n", b"\r\n"))
    assert said(read(sample)) == said(records)
