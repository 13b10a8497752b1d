"""What a check is: a name, a look, perhaps a repair."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from spanloop.doctor.set_up import SetUp


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found.

    Attributes:
        said: One line: what is wrong, with its value, and the way out.
        wrong: False where it is only good to know.
    """

    said: str
    wrong: bool = True


def note(said: str) -> Finding:
    """Something good to know."""
    return Finding(said, wrong=False)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing that is looked at.

    Attributes:
        name: What it is called.
        look: Yields what it finds; an error that it raises is a finding.
        repair: Does what is safe, and yields what it did; holds the store where it changes that.
        needs: Names of checks before it: where one of those found something wrong, there is nothing to look at.
    """

    name: str
    look: Callable[[SetUp], Iterable[Finding]]
    repair: Callable[[SetUp], Iterable[str]] | None = None
    needs: tuple[str, ...] = ()
