"""The options that all benchmarks share."""

import argparse
from pathlib import Path


def make_parser(name: str, doc: str | None, quick: str, *, must_write: bool = True) -> argparse.ArgumentParser:
    """A parser with `--quick` and `--out`.

    Args:
        name: The benchmark's module.
        doc: Its docstring; the first line becomes the help.
        quick: What `--quick` does.
        must_write: Whether `--out` must be given.
    """
    parser = argparse.ArgumentParser(prog=f"benchmarks.{name}", description=(doc or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=quick)
    parser.add_argument("--out", type=Path, required=must_write, help="JSON file to write")
    return parser


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data`, for benchmarks on annotated corpora."""
    parser.add_argument("--data", type=Path, help="folder of the corpora; default $SPANLOOP_DATA or ../shared/data")
