"""The local Argilla at 10,000 records, half of them submitted: `python -m benchmarks.argilla_engine --out FILE`.

A server of its own is started in a temporary folder and asked through REST, as the annotation page and the flows ask.
Beside the time that passes, the server's own CPU time is given: it says the same on a busy machine.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.options import make_parser
from benchmarks.report import table, write_report
from spanloop.local_argilla import process
from spanloop.processes.ports import free_port

_BATCH = 500
_LABELS = ("LOC", "ORG", "PER")
_PENDING = [
    {"type": "terms", "scope": {"entity": "response", "property": "status"}, "values": ["pending"]},
    {"type": "terms", "scope": {"entity": "record", "property": "status"}, "values": ["pending"]},
]
_PRIORITY = {"entity": "metadata", "metadata_property": "priority"}
_SCORE = {"entity": "suggestion", "question": "entities", "property": "score"}


def main() -> None:
    """Run the benchmark from the command line."""
    parser = make_parser("argilla_engine", __doc__, "1,000 records, 5 repetitions")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--words", type=int, default=40, help="words of a text")
    parser.add_argument("--repeat", type=int, default=20)
    options = parser.parse_args()
    if options.quick:
        options.records, options.repeat = 1000, 5
    with tempfile.TemporaryDirectory() as home:
        running = process.start(Path(home), port=free_port())
        try:
            figures = measure(running, options.records, options.words, options.repeat)
        finally:
            process.stop(Path(home))
    rows = [(name, *figure.values()) for name, figure in figures.items()]
    print(table(("", "value", "unit", "CPU", "target"), rows))
    sizes = {"records": options.records, "words": options.words, "repeat": options.repeat}
    write_report(options.out, {"sizes": sizes, "figures": figures})


def measure(running: process.Running, records: int, words: int, repeat: int) -> dict[str, Any]:
    """Fill a data set and take every figure.

    Returns:
        By name: the value, its unit, the server's CPU milliseconds (a request, or a record), and the target.
    """
    bench = Bench(running, words)
    figures: dict[str, Any] = {}
    share, cpu = bench.rate(bench.record(i, submitted=False) for i in range(records // 2))
    figures["bulk logging, new records"] = _figure(share, "records/s", cpu, "≥ 800")
    share, cpu = bench.rate(bench.record(i, submitted=True) for i in range(records // 2, records))
    figures["bulk logging, with responses"] = _figure(share, "records/s", cpu, "")
    share, cpu = bench.rate(bench.suggestion(i) for i in range(records // 2))
    figures["bulk writing of suggestions"] = _figure(share, "records/s", cpu, "")
    for name, (ask, target) in bench.requests().items():
        milliseconds, cpu = bench.time(ask, repeat)
        figures[name] = _figure(milliseconds, "ms", cpu, target)
    return figures


class Bench:
    """A data set on the server that is measured."""

    def __init__(self, running: process.Running, words: int) -> None:
        self._words = words
        self._random = random.Random(0)
        self._server = psutil.Process(running.pid)
        headers = {"X-Argilla-Api-Key": running.api_key}
        self._http = httpx.Client(base_url=f"{running.url}/api/v1", headers=headers, timeout=120)
        self._user = self._ask("GET", "/me")["id"]
        workspace = self._ask("POST", "/workspaces", {"name": "bench"})["id"]
        self._path = f"/datasets/{self._ask('POST', '/datasets', {'name': 'bench', 'workspace_id': workspace})['id']}"
        self._add("fields", name="text", required=True, settings={"type": "text"})
        options = [{"value": label, "text": label} for label in _LABELS]
        span = {"type": "span", "field": "text", "options": options}
        self._question = self._add("questions", name="entities", required=True, settings=span)
        kinds = dict.fromkeys(("group", "split", "model_version"), "terms")
        kinds |= {"priority": "float", "uncertainty": "float"}
        self._properties = [
            self._add("metadata-properties", name=name, settings={"type": kind}) for name, kind in kinds.items()
        ]
        self._ask("PUT", f"{self._path}/publish")

    def _add(self, what: str, **body: Any) -> str:
        return str(self._ask("POST", f"{self._path}/{what}", {"title": body["name"], **body})["id"])

    def _ask(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        answer = self._http.request(method, path, json=body, params=params)
        answer.raise_for_status()
        return answer.json()

    def record(self, number: int, submitted: bool) -> dict[str, Any]:
        """A record of made-up words, frequent and rare ones as in a language."""
        drawn = [f"w{int(self._random.paretovariate(0.6))}" for _ in range(self._words)]
        text = " ".join(drawn)
        spans = [{"start": 0, "end": len(drawn[0]), "label": self._random.choice(_LABELS)}]
        response = {"user_id": self._user, "status": "submitted", "values": {"entities": {"value": spans}}}
        metadata = {"group": f"g{number // 10}", "split": "train", "priority": self._random.random()}
        responses = [response] if submitted else []
        return {"external_id": f"r{number}", "fields": {"text": text}, "metadata": metadata, "responses": responses}

    def suggestion(self, number: int) -> dict[str, Any]:
        """The update that a round writes."""
        spans = [{"start": 0, "end": 2, "label": "PER"}, {"start": 3, "end": 5, "label": "LOC"}]
        scores = [self._random.random(), self._random.random()]
        suggestion = {"question_id": self._question, "value": spans, "score": scores, "agent": "v0001"}
        return {"external_id": f"r{number}", "suggestions": [suggestion]}

    def requests(self) -> dict[str, tuple[Callable[[], Any], str]]:
        """What is asked, by name, with its target."""
        rare = f"w{self._random.randint(2000, 4000)}"
        best = [{"scope": _PRIORITY, "order": "desc"}]
        queue = {"filters": {"and": _PENDING}}
        scored = [*_PENDING, {"type": "range", "scope": _SCORE, "ge": 0.2, "le": 0.5}]
        submitted = {"and": [_PENDING[0] | {"values": ["submitted"]}]}
        metrics = f"/metadata-properties/{self._properties[3]}/metrics"
        return {
            "queue page, by priority": (lambda: self._search(queue | {"sort": best}), "< 100"),
            "queue page, the hundredth": (lambda: self._search(queue | {"sort": best}, offset=1000), "< 100"),
            "queue page, random order": (lambda: self._search(queue), "< 100"),
            "queue page, by suggestion score": (
                lambda: self._search({"filters": {"and": scored}, "sort": [{"scope": _SCORE, "order": "asc"}]}),
                "< 100",
            ),
            "submitted records page": (lambda: self._search({"filters": submitted, "sort": best}), ""),
            "text query, frequent word": (lambda: self._search(queue | _text("w1")), "< 200"),
            "text query, rare word": (lambda: self._search(queue | _text(rare)), "< 200"),
            "text query, phrase": (lambda: self._search(queue | _text('"w1 w2" w3*')), "< 200"),
            "progress": (lambda: self._ask("GET", f"{self._path}/progress"), ""),
            "own metrics": (lambda: self._ask("GET", f"/me{self._path}/metrics"), ""),
            "metadata metrics": (lambda: self._ask("GET", metrics), ""),
            "one response submitted": (self._submitter(), ""),
        }

    def _search(self, body: dict[str, Any], offset: int = 0) -> Any:
        include = ["responses", "suggestions"]
        return self._ask("POST", f"/me{self._path}/records/search", body, include=include, offset=offset, limit=10)

    def _submitter(self) -> Callable[[], Any]:
        answer = self._ask("POST", f"/me{self._path}/records/search", {"filters": {"and": _PENDING}}, limit=100)
        ids: Iterator[str] = iter([item["record"]["id"] for item in answer["items"]])
        values = {"entities": {"value": []}}

        def submit() -> Any:
            item = {"record_id": next(ids), "status": "submitted", "values": values}
            return self._ask("POST", "/me/responses/bulk", {"items": [item]})

        return submit

    def rate(self, records: Iterator[dict[str, Any]]) -> tuple[float, float]:
        """Write records in bulks: records a second, and the server's CPU milliseconds a record."""
        items = list(records)
        begun, cpu = time.perf_counter(), self._cpu()
        for at in range(0, len(items), _BATCH):
            self._ask("PUT", f"{self._path}/records/bulk", {"items": items[at : at + _BATCH]})
        seconds, cpu = time.perf_counter() - begun, self._cpu() - cpu
        return len(items) / seconds, 1000 * cpu / len(items)

    def time(self, ask: Callable[[], Any], repeat: int) -> tuple[float, float]:
        """Ask several times, once to warm up: the median in milliseconds, and the server's CPU milliseconds."""
        ask()
        cpu, taken = self._cpu(), []
        for _ in range(repeat):
            begun = time.perf_counter()
            ask()
            taken.append(1000 * (time.perf_counter() - begun))
        return statistics.median(taken), 1000 * (self._cpu() - cpu) / repeat

    def _cpu(self) -> float:
        times = self._server.cpu_times()
        return times.user + times.system


def _text(words: str) -> dict[str, Any]:
    return {"query": {"text": {"q": words}}}


def _figure(value: float, unit: str, cpu: float, target: str) -> dict[str, Any]:
    return {"value": round(value, 1), "unit": unit, "cpu_ms": round(cpu, 2), "target": target}


if __name__ == "__main__":
    main()
