"""Spans marked with the mouse in Argilla's own web page come back as the characters that were marked.

The real page in a real browser is the only witness of how offsets are counted; see `spanloop.argilla.offsets`.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spanloop.argilla import (
    ArgillaClient,
    DatasetRef,
    Scored,
    pull,
    pull_submitted,
    queue_link,
    write_suggestions,
)
from spanloop.argilla.links import review_link
from spanloop.argilla.properties import prepare_dataset
from spanloop.argilla.sending import submit_response
from spanloop.argilla.shape import SUSPICION
from spanloop.argilla.suspicions import write_suspicions
from spanloop.config import LoopConfig
from spanloop.local_argilla.process import Running
from spanloop.records import ScoredSpan, Span, Suggestion

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HARD = (
    "\U0001f600 Cafe\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467 notes:\r\n"
    "Anna saw Paris & <b>Rome</b>, R&amp;D;\r\n"
    "today \U0001f600\U0001f600 with Jose\u0301 Garci\u0301a"
)
FIELD = "[aria-label='Data Record Field'] p"

# Where the page draws the nth occurrence of a text: left, right and middle height, after scrolling to it.
_BOX = """([selector, wanted]) => {
  const node = document.querySelector(selector).firstChild, start = node.textContent.indexOf(wanted);
  const range = new Range(); range.setStart(node, start); range.setEnd(node, start + wanted.length);
  const box = range.getBoundingClientRect();
  return [box.left, box.right, (box.top + box.bottom) / 2];
}"""
_HIGHLIGHTED = """() => [...CSS.highlights].filter(([name]) => name.startsWith('hl-'))
  .flatMap(([name, ranges]) => [...ranges].map(range => range.toString()))"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)"),
]


class AnnotationPage:
    """Argilla's annotation page, used as a person would: with mouse and keyboard."""

    def __init__(self, page: Any, url: str, username: str, password: str) -> None:
        self.page = page
        page.goto(f"{url}/sign-in")
        page.fill("input[name=Username]", username)
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "sign-in" not in url)

    def open_queue(self, dataset: DatasetRef, url: str) -> None:
        self.page.goto(queue_link(url, dataset.id))
        self.page.wait_for_selector(FIELD)

    def text(self) -> str:
        return str(self.page.eval_on_selector(FIELD, "node => node.textContent"))

    def mark(self, words: str, label: str) -> None:
        """Choose the label, then drag the mouse over the words."""
        self.page.click(f"[role=button][aria-label='{label}'] label")
        left, right, height = self.page.evaluate(_BOX, [FIELD, words])
        self.page.mouse.move(left + 1, height)
        self.page.mouse.down()
        self.page.mouse.move((left + right) / 2, height, steps=4)
        self.page.mouse.move(right - 1, height, steps=4)
        self.page.mouse.up()

    def highlighted(self) -> list[str]:
        return list(self.page.evaluate(_HIGHLIGHTED))

    def submit(self) -> None:
        with self.page.expect_response(lambda answer: "/responses" in answer.url) as answer:
            self.page.click("button.button--submit")
        assert answer.value.ok, answer.value.text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (pip install .[dev])")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def annotation_page(browser: Any, argilla_server: Running) -> AnnotationPage:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    return AnnotationPage(page, argilla_server.url, argilla_server.username, argilla_server.password)


def marked(client: ArgillaClient, dataset: DatasetRef) -> list[tuple[str, str]]:
    """What was submitted for the only record, as its characters say."""
    (record,) = pull_submitted(client, dataset)
    (response,) = record.submitted
    return sorted((record.text[span.start : span.end], span.label) for span in response.spans)


def test_marked_words_come_back_as_those_characters(
    annotation_page: AnnotationPage, client: ArgillaClient, fill: Callable[..., DatasetRef]
) -> None:
    dataset = fill({"hard": HARD})
    annotation_page.open_queue(dataset, client.url)
    assert annotation_page.text().rstrip("\u2060") == HARD.replace("\r\n", "\n")
    annotation_page.mark("Anna", "person")
    annotation_page.mark("Rome", "place")
    annotation_page.mark("Jose\u0301 Garci\u0301a", "person")  # the end of the text, which the server would refuse
    annotation_page.submit()
    assert marked(client, dataset) == [("Anna", "person"), ("Jose\u0301 Garci\u0301a", "person"), ("Rome", "place")]


def test_records_that_spanloop_did_not_write_are_read_right_too(
    annotation_page: AnnotationPage, client: ArgillaClient, fill: Callable[..., DatasetRef]
) -> None:
    dataset = fill({})
    text = "\U0001f600\U0001f600 Cafe\u0301\r\nAnna saw AT&amp;T in Paris \U0001f600 today, and \r\n that was it"
    client.put(f"datasets/{dataset.id}/records/bulk", {"items": [{"external_id": "raw", "fields": {"text": text}}]})
    annotation_page.open_queue(dataset, client.url)
    annotation_page.mark("Paris", "place")
    annotation_page.submit()
    assert marked(client, dataset) == [("Paris", "place")]


def test_suggestions_stand_where_they_belong_and_survive_a_submission(
    annotation_page: AnnotationPage, client: ArgillaClient, fill: Callable[..., DatasetRef]
) -> None:
    dataset = fill({"hard": HARD})
    words = ["Anna", "Rome", "Jose\u0301 Garci\u0301a"]
    starts = [HARD.index(word) for word in words]
    spans = tuple(ScoredSpan(at, at + len(word), "person", 0.9) for at, word in zip(starts, words, strict=True))
    write_suggestions(client, dataset, [Scored("hard", Suggestion(spans, "m0001-aaaa"), 0.5)])
    annotation_page.open_queue(dataset, client.url)
    annotation_page.page.wait_for_function(f"({_HIGHLIGHTED})().length === 3")
    assert sorted(annotation_page.highlighted()) == sorted(words)
    annotation_page.submit()
    (record,) = pull(client, dataset)
    assert sorted(record.submitted[0].spans) == [Span(s.start, s.end, s.label) for s in spans]


def test_the_review_link_shows_what_is_suspicious_of_one_s_own_records(
    annotation_page: AnnotationPage, client: ArgillaClient, loop: LoopConfig, fill: Callable[..., DatasetRef]
) -> None:
    texts = {name: f"Text {name}" for name in "abcd"}
    dataset = fill(texts)
    for record in pull(client, dataset):
        if record.id != "d":
            submit_response(client, dataset, record, ())
    prepare_dataset(client, dataset, loop.task, {SUSPICION})
    write_suspicions(client, dataset, {"a": 0.2, "b": 0.9})
    page = annotation_page.page
    page.goto(review_link(client.url, dataset.id))
    page.wait_for_selector(FIELD)
    seen = [annotation_page.text()]
    assert " 1 of 2 " in " ".join(page.inner_text("body").split())
    page.goto(review_link(client.url, dataset.id).replace("page=1", "page=2"))
    page.wait_for_function("([node, seen]) => document.querySelector(node)?.textContent !== seen", arg=[FIELD, seen[0]])
    page.wait_for_selector(FIELD)
    assert [*seen, annotation_page.text()] == [texts["b"], texts["a"]]


def test_an_annotator_sees_the_queue_by_priority(
    browser: Any, client: ArgillaClient, fill: Callable[..., DatasetRef]
) -> None:
    texts = {name: f"Text {name}" for name in "abc"}
    order = ["b", "c", "a"]
    dataset = fill(texts)
    write_suggestions(client, dataset, [Scored(name, None, 1 - at / 10) for at, name in enumerate(order)])
    account = {"username": dataset.name, "first_name": "Ann", "role": "annotator", "password": "annotator-password"}
    user = client.post("users", account)
    client.post(f"workspaces/{dataset.workspace_id}/users", {"user_id": user["id"]})
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = AnnotationPage(context.new_page(), client.url, dataset.name, account["password"])
    page.open_queue(dataset, client.url)
    seen = []
    for _ in order:
        seen.append(page.text())
        page.submit()
        page.page.wait_for_function(
            "([node, seen]) => document.querySelector(node)?.textContent !== seen", arg=[FIELD, seen[-1]]
        )
    context.close()
    assert seen == [texts[name] for name in order]
    (user_id,) = {record.submitted[0].user for record in pull_submitted(client, dataset)}
    assert user_id == user["id"]
