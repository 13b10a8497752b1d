"""Text files: lines with their numbers, whatever the encoding."""

from collections.abc import Iterator
from dataclasses import dataclass
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
    """

    name: str
    path: Path
    encoding: str
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[tuple[int, str]]:
        r"""The lines with their numbers, line ends kept; only \n ends a line, a byte order mark is dropped.

        Raises:
            DataError: The file cannot be read.
        """
        try:
            with self.path.open(encoding=self.encoding, newline="\n") as file:
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
    return TextFile(source.name, source.path, encoding, (note,) if note else ())


def _unreadable(name: str, error: OSError) -> DataError:
    return DataError(f"{name} cannot be read: {error.strerror or error}; check the path and its permissions")
