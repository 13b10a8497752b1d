"""Scoring equals the plain model, record by record, whatever stands beside a record."""

import json
import math
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_devices import OUT_OF_MEMORY, limit_memory
from texts import texts as odd_texts
from tiny_families import ARCHITECTURES, PACKED
from tiny_models import SENTENCES, people_and_places
from tiny_scorers import save_tiny_scorer
from transformers import AutoModelForTokenClassification, AutoTokenizer

from spanloop.config import ScoringConfig
from spanloop.errors import TrainingError
from spanloop.scoring import ScoredText, Scorer, int8, predict
from spanloop.scoring.reading import chunks, read_ahead
from spanloop.words import split_words

ALL_SPANS = ScoringConfig(min_score=0)
TEXTS = SENTENCES + [example.text for example in people_and_places(12)]
HARD = ["", " ", "\n\t", "\u200b", "\u200b\u200d", "\ud800", "\x00", "a" * 3000, "👩\u200d👩\u200d👧 Ada"]

pytestmark = pytest.mark.usefixtures("on_cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_scorer(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def scorer(folder: Path) -> Scorer:
    return Scorer.load(folder, ALL_SPANS)


def with_about(folder: Path, parent: Path, **about: Any) -> Path:
    """A copy of a model folder that says something else about itself."""
    copy = shutil.copytree(folder, parent / "copy")
    (copy / "spanloop.json").write_text(json.dumps({**json.loads((folder / "spanloop.json").read_text()), **about}))
    return copy


def named(texts: list[str]) -> list[tuple[str, str]]:
    return [(f"r{i}", text) for i, text in enumerate(texts)]


def logits_of(scorer: Scorer, texts: list[str]) -> list[np.ndarray]:
    """The logits of each text's words, from the packed path."""
    (chunk,) = read_ahead(named(texts), scorer._loaded.encoder, scorer._loaded.forward)
    logits = np.empty((len(chunk.word), 5), dtype=np.float32)
    logits[chunk.word] = scorer._loaded.forward.run(chunk.layout, chunk.word_token).logits
    return np.split(logits, chunk.encoded.text_words[1:-1])


@cache
def plain(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model as Hugging Face loads them."""
    return AutoTokenizer.from_pretrained(folder), AutoModelForTokenClassification.from_pretrained(folder).eval()


def plain_logits(folder: Path, text: str, types: dict[str, int] | None = None) -> np.ndarray:
    """Logits of the first subword of each word, by Hugging Face alone, one text at a time."""
    tokenizer, model = plain(folder)
    encoding = tokenizer(text, return_offsets_mapping=True)
    offsets = encoding.pop("offset_mapping")
    with torch.inference_mode():
        token_types = [[(types or {}).get(text[a:b], 0) for a, b in offsets]]
        kind = {"token_type_ids": torch.tensor(token_types)} if types else {}
        logits = model(torch.tensor([encoding["input_ids"]]), **kind).logits[0].numpy()
    first = [next(i for i, (a, b) in enumerate(offsets) if a < stop and b > start) for start, stop in split_words(text)]
    return logits[first]


def is_cut_alike(scorer: Scorer, folder: Path, text: str) -> bool:
    """Does the plain tokenizer make the same subwords? It does where no subword of it runs over two words."""
    ours = scorer._loaded.encoder.encode([text])
    same_subwords = ours.subword_ids.tolist() == plain(folder)[0](text, add_special_tokens=False)["input_ids"]
    return same_subwords and len(ours.word_first) == len(split_words(text))


def same(a: ScoredText, b: ScoredText) -> bool:
    spans = [s.span for s in a.spans] == [s.span for s in b.spans]
    scores = [s.score for s in a.spans] == pytest.approx([s.score for s in b.spans], abs=1e-4)
    return spans and scores and a.statistics.mnlp == pytest.approx(b.statistics.mnlp, abs=1e-4)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_are_those_of_the_plain_model(architecture: str, tmp_path: Path) -> None:
    folder = save_tiny_scorer(tmp_path, architecture, max_length=64)
    scorer = Scorer.load(folder, ScoringConfig())
    assert (scorer._loaded.forward.first_position is not None) == (architecture in PACKED)
    alike = [text for text in TEXTS if is_cut_alike(scorer, folder, text)]
    assert len(alike) > 5
    for text, logits in zip(alike, logits_of(scorer, alike), strict=True):
        assert logits == pytest.approx(plain_logits(folder, text), abs=2e-3, rel=1e-4)


@pytest.mark.parametrize("packed", [True, False])
def test_the_model_sees_the_surface_of_every_word(packed: bool, tmp_path: Path) -> None:
    folder = save_tiny_scorer(tmp_path, surface_features=("case",))
    scorer = Scorer.load(folder, ScoringConfig())
    if not packed:
        scorer._loaded.forward.first_position = None
        scorer._loaded.forward.model.set_attn_implementation("eager")
    texts = ["Ada met ada in PARIS.", "paris, Paris and PARIS", "ada"]
    types = {"Ada": 1, "Paris": 1, "PARIS": 2}
    assert all(is_cut_alike(scorer, folder, text) for text in texts)
    for text, logits in zip(texts, logits_of(scorer, texts), strict=True):
        assert logits == pytest.approx(plain_logits(folder, text, types), abs=2e-3)
        if text != "ada":
            assert np.abs(logits - plain_logits(folder, text)).max() > 0.1


def test_a_long_text_is_decided_word_by_word_where_it_has_most_context(scorer: Scorer, folder: Path) -> None:
    text = " ".join(f"Ada{i} met Bo in Oslo." for i in range(30))
    (logits,) = logits_of(scorer, [text])
    encoder = scorer._loaded.encoder
    encoded = encoder.encode([text])
    windows = encoded.windows
    assert len(windows) > 3
    assert len(logits) == len(split_words(text))
    first, last = (
        windows.start == 0,
        windows.stop == len(encoded.subword_ids),
    )  # no context is missing at the text's ends
    for word, subword in enumerate(encoded.word_first):
        before = np.where(first, 1000, subword - windows.start)
        context = np.minimum(before, np.where(last, 1000, windows.stop - 1 - subword))
        context[(subword < windows.start) | (subword >= windows.stop)] = -1
        (chosen,) = np.flatnonzero((windows.core_start <= subword) & (subword < windows.core_stop))
        assert context[chosen] >= context.max() - 1
        if word % 10 == 0:
            subwords = encoded.subword_ids[windows.start[chosen] : windows.stop[chosen]]
            with torch.inference_mode():
                window = plain(folder)[1](torch.tensor([[*encoder.prefix, *subwords, *encoder.suffix]])).logits[0]
            wanted = window[subword - windows.start[chosen] + len(encoder.prefix)].numpy()
            assert logits[word] == pytest.approx(wanted, abs=2e-3)


def test_a_record_gets_the_same_alone_and_in_any_company(scorer: Scorer) -> None:
    rows = named(TEXTS + HARD + [" ".join(TEXTS)])
    together = {s.id: s for s in scorer.score(rows)}
    backwards = {s.id: s for s in scorer.score(reversed(rows))}
    for row in rows:
        (alone,) = scorer.score([row])
        assert same(alone, together[row[0]])
        assert same(alone, backwards[row[0]])


def test_scoring_twice_gives_the_same_to_the_last_bit(folder: Path) -> None:
    config = ScoringConfig(mc_dropout_passes=3)
    first, second = (list(Scorer.load(folder, config).score(named(TEXTS))) for _ in range(2))
    assert first == second
    assert any(s.statistics.bald for s in first)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(odd_texts | st.sampled_from(HARD), max_size=6))
def test_every_id_comes_out_once_with_sane_figures(scorer: Scorer, texts: list[str]) -> None:
    rows = named(texts)
    scored = list(scorer.score(rows))
    assert [s.id for s in scored] == [row[0] for row in rows]
    for (_, text), result in zip(rows, scored, strict=True):
        figures = result.statistics
        assert all(0 <= s.start < s.end <= len(text) and 0 <= s.score <= 1 for s in result.spans)
        assert all(a.end <= b.start for a, b in zip(result.spans, result.spans[1:], strict=False))
        assert 0 <= figures.least_confidence <= 1
        assert 0 <= figures.margin <= 1
        assert 0 <= figures.token_entropy <= math.log(5) + 1e-9
        assert figures.mnlp >= 0
        assert 0 <= figures.expected_errors <= figures.n_words + len(result.spans)
        assert set(figures.label_doubt) <= {"", "PER", "LOC"}
        assert all(doubt > 0 for doubt in figures.label_doubt.values())
        assert figures.bald is None


def test_a_text_without_words_is_certain_and_empty(scorer: Scorer) -> None:
    for scored in scorer.score(named(["", " \n", "\u200b"])):
        figures = scored.statistics
        assert scored.spans == ()
        assert (figures.n_words, figures.least_confidence, figures.margin, figures.mnlp) == (0, 0.0, 0.0, 0.0)
        assert (figures.expected_errors, figures.label_doubt) == (0.0, {})


def test_a_text_of_a_megabyte_is_scored(folder: Path) -> None:
    text = ("x" * 150 + " ") * 7_000
    (scored,) = Scorer.load(folder, ScoringConfig()).score([("big", text)])
    assert scored.statistics.n_words == 7_000


@pytest.mark.parametrize("backend", ["torch", "int8"])
def test_two_threads_give_what_one_gives(backend: Any, folder: Path) -> None:
    torch.set_num_threads(2)
    try:
        config = ScoringConfig(backend=backend, max_tokens_per_batch=64, mc_dropout_passes=2, min_score=0)
        scorer = Scorer.load(folder, config)
        assert scorer._loaded.forward.workers is not None
        assert torch.get_num_threads() == 2
        texts = TEXTS * 5
        by_two, again = (list(scorer.score(named(texts))) for _ in range(2))
        scorer._loaded.forward.workers = None
        by_one = list(scorer.score(named(texts)))
    finally:
        torch.set_num_threads(1)
    for one, two, three in zip(by_one, by_two, again, strict=True):
        assert (two.id, two.spans, two.statistics) == (three.id, three.spans, three.statistics)
        assert [s.span for s in one.spans] == [s.span for s in two.spans]
        assert [s.score for s in one.spans] == pytest.approx([s.score for s in two.spans], abs=1e-5)
        assert one.statistics.bald == pytest.approx(two.statistics.bald, abs=1e-5)


def test_the_models_scale_moves_scores_and_no_span(folder: Path, tmp_path: Path) -> None:
    calibrated = with_about(folder, tmp_path, score_slope=0.5, score_offset=-1.0)
    plain, moved = (list(Scorer.load(f, ALL_SPANS).score(named(TEXTS))) for f in (folder, calibrated))
    before, after = ([(s.id, x.span, x.score) for s in found for x in s.spans] for found in (plain, moved))
    assert [x[:2] for x in before] == [x[:2] for x in after]
    odds = [p / (1 - p) for *_, p in before]
    assert [score for *_, score in after] == pytest.approx([1 / (1 + np.e * o**-0.5) for o in odds], rel=1e-2)
    assert [s.statistics for s in plain] == [s.statistics for s in moved]


def test_a_model_knows_its_least_score_and_the_configuration_may_have_another(folder: Path, tmp_path: Path) -> None:
    strict = with_about(folder, tmp_path, min_score=0.6)
    scores = {
        wanted: [
            x.score for s in Scorer.load(strict, ScoringConfig(min_score=wanted)).score(named(TEXTS)) for x in s.spans
        ]
        for wanted in (0.0, 0.4)
    }
    assert min(scores[0.0]) >= 0.6 > min(scores[0.4]) >= 0.4


@pytest.mark.parametrize(("config", "least"), [(ScoringConfig(), 0.0), (ScoringConfig(min_score=0.6), 0.6)])
def test_spans_below_the_wanted_score_are_left_out(
    config: ScoringConfig, least: float, folder: Path, scorer: Scorer
) -> None:
    strict = Scorer.load(folder, config)
    for all_of, some in zip(scorer.score(named(TEXTS)), strict.score(named(TEXTS)), strict=True):
        assert some.spans == tuple(s for s in all_of.spans if s.score >= least)
        assert some.statistics == all_of.statistics


def test_texts_are_read_as_they_are_needed(scorer: Scorer) -> None:
    read = 0

    def endless() -> Iterator[tuple[str, str]]:
        nonlocal read
        while True:
            read += 1
            yield str(read), "Ada met Bo."

    assert [s.id for s in islice(scorer.score(endless()), 5)] == ["1", "2", "3", "4", "5"]
    assert read < 5000


def test_chunks_are_bounded_in_texts_and_characters() -> None:
    rows = [(str(i), "x" * 10) for i in range(7)] + [("long", "x" * 1000), ("last", "x")]
    cut = list(chunks(rows, 4, 60))
    assert [len(chunk) for chunk in cut] == [4, 4, 1]
    assert [row for chunk in cut for row in chunk] == rows


def test_int8_stays_close(folder: Path, scorer: Scorer) -> None:
    engine = torch.backends.quantized.engine
    quick = Scorer.load(folder, ScoringConfig(backend="int8"))
    assert torch.backends.quantized.engine == engine
    for exact, near in zip(logits_of(scorer, TEXTS), logits_of(quick, TEXTS), strict=True):
        assert 0 < np.abs(exact - near).mean() < 0.05 * exact.std()


def test_int8_layers_serve_two_threads_at_a_time() -> None:
    """PyTorch's own layers fail now and then, in one call of some hundred, so there are many calls."""
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.base_model = torch.nn.Sequential(torch.nn.Linear(512, 128))
    int8.quantize(model, 2, lambda: torch.empty(0))
    inputs = [torch.randn(256, 512) * factor for factor in np.geomspace(0.1, 10, 50).tolist()]

    def apply(x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            found: torch.Tensor = model.base_model(x)
            return found

    alone = [apply(x) for x in inputs]
    with ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)) as threads:
        for _ in range(150):
            assert all(map(torch.equal, alone, threads.map(apply, inputs)))


def test_memory_does_not_grow_with_the_pool(scorer: Scorer) -> None:
    peaks = []
    tracemalloc.start()
    for done, _ in enumerate(scorer.score((str(i), TEXTS[i % len(TEXTS)]) for i in range(6 * 1024)), start=1):
        if done % 1024 == 0:
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.reset_peak()
    tracemalloc.stop()
    assert len(peaks) == 6
    assert max(peaks[3:]) < 1.2 * max(peaks[:3])


def test_the_model_sees_few_numbers_of_tokens_on_a_cpu(scorer: Scorer) -> None:
    """oneDNN keeps a kernel for each of them."""
    seen: set[int] = set()

    def note(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        seen.add(int(kwargs["input_ids"].numel()))

    hook = scorer._loaded.forward.model.register_forward_pre_hook(note, with_kwargs=True)
    try:
        for count in (1, 2, 3, 5, 8, 13, 100):
            list(scorer.score(named(["Ada met Bo in Oslo."] * count)))
    finally:
        hook.remove()
    assert len(seen) > 1
    assert all(tokens % 128 == 0 for tokens in seen)


@pytest.mark.parametrize("architecture", ["bert", "deberta-v2"])
def test_a_batch_makes_the_device_compute_no_more_than_the_budget(
    architecture: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Padding is computed too."""
    folder = save_tiny_scorer(tmp_path, architecture, max_length=64)
    scorer = Scorer.load(folder, ScoringConfig(max_tokens_per_batch=256))
    sizes = limit_memory(monkeypatch, type(scorer._loaded.forward.model), tokens=256)
    assert len(list(scorer.score(named(["Ada " * (i % 50 + 1) for i in range(100)])))) == 100
    assert 200 < max(sizes) <= 256


@pytest.mark.parametrize("fail", OUT_OF_MEMORY)
@pytest.mark.parametrize("architecture", ["bert", "deberta-v2"])
def test_out_of_memory_halves_the_batches_of_scoring(
    architecture: str, fail: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = save_tiny_scorer(tmp_path, architecture)
    roomy, tight = (Scorer.load(folder, ALL_SPANS) for _ in range(2))
    wanted = list(roomy.score(named(TEXTS * 20)))
    sizes = limit_memory(monkeypatch, type(tight._loaded.forward.model), 300, fail)
    found = list(tight.score(named(TEXTS * 20)))
    assert all(map(same, found, wanted))
    assert max(sizes) > 300
    sizes.clear()
    list(tight.score(named(TEXTS * 20)))
    assert max(sizes) <= 300


def test_one_window_that_does_not_fit_is_an_error_in_scoring(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Scorer.load(folder, ALL_SPANS)
    limit_memory(monkeypatch, type(scorer._loaded.forward.model), 4)
    with pytest.raises(TrainingError, match="runs out of memory with one window of 32 tokens"):
        Scorer.load(folder, ALL_SPANS)
    with pytest.raises(TrainingError, match=r"runs out of memory with one window of .* choose a smaller encoder"):
        list(scorer.score(named(TEXTS)))


def test_predict_gives_the_spans_of_each_example(folder: Path, scorer: Scorer) -> None:
    examples = people_and_places(6)
    wanted = {s.id: list(s.spans) for s in scorer.score((e.id, e.text) for e in examples)}
    assert predict(folder, examples, ScoringConfig(mc_dropout_passes=2)) == wanted


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a model of spanloop"),
        ("{", "cannot be used"),
        ('{"labels": [], "max_length": 32, "stride": 8}', "needs labels"),
        ('{"labels": ["LOC", "PER"], "max_length": 32, "stride": 8}', "other tags"),
        ('{"labels": ["PER", "LOC"], "max_length": 2, "stride": 0}', "leaves no room"),
    ],
)
def test_a_folder_that_is_no_model_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    save_tiny_scorer(tmp_path)
    (tmp_path / "spanloop.json").unlink() if content is None else (tmp_path / "spanloop.json").write_text(content)
    with pytest.raises(TrainingError, match=message):
        Scorer.load(tmp_path, ScoringConfig())


def test_weights_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    save_tiny_scorer(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(TrainingError, match="cannot be loaded"):
        Scorer.load(tmp_path, ScoringConfig())


def test_statistics_can_be_written_as_json(scorer: Scorer) -> None:
    (scored,) = scorer.score([("a", TEXTS[0])])
    json.dumps({name: getattr(scored.statistics, name) for name in scored.statistics.__slots__})
    json.dumps([[s.start, s.end, s.label, s.score] for s in scored.spans])
