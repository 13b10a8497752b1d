"""Text files: lines with their numbers, whatever the encoding."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from spanloop.errors import DataError
from spanloop.importing.charsets import find_charset
from spanloop.importing.readers import Source


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file of text that can be read again and again.

    Attributes:
        name: What messages call it.
        path: Where it lies.
        encoding: How it is encoded, as Python names it.
        notes: What to tell about the encoding, where it is not UTF-8.
        line_end: What ends a line: LF, or CR in a file without any LF.
    """

    name: str
    path: Path
    encoding: str
    notes: tuple[str, ...] = ()
    line_end: str = "\n"

    def lines(self) -> Iterator[tuple[int, str]]:
        r"""The lines with their numbers, line ends kept; only `line_end` ends one, a byte order mark is dropped.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            with self.path.open(encoding=self.encoding, newline=self.line_end) as file:
                yield from enumerate(file, start=1)
        except OSError as error:
            raise _unreadable(self.name, error) from None
        except UnicodeError:
            raise DataError(f"{self.name} changed while it was read; try again when nobody writes to it") from None


def open_text(source: Source) -> TextFile:
    """A source of text, read once to the end to know its encoding.

    Raises:
        DataError: It cannot be read, or not as text of one encoding.
    """
    try:
        encoding, note = find_charset(source.path, source.name, source.encoding)
    except OSError as error:
        raise _unreadable(source.name, error) from None
    text = TextFile(source.name, source.path, encoding, (note,) if note else ())
    first = next((line for _, line in text.lines()), "")
    return text if first.endswith("\n") or "\r" not in first else replace(text, line_end="\r")


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(f"{name} cannot be read: {error.strerror or error}; check the path and its permissions")
