"""Looking, repairing, looking again: each check for itself, so that nothing broken hides another thing that is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spanloop.doctor.health_check import Finding, HealthCheck
from spanloop.doctor.set_up import SetUp
from spanloop.errors import SpanloopError, first_line


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What became of one check.

    Attributes:
        name: The check's name.
        findings: What is found; after a repair, what is left.
        repaired: What a repair did.
        repairable: Whether something is wrong that a repair may mend.
        waits_for: The check that has to be well first; nothing was looked at then.
    """

    name: str
    findings: tuple[Finding, ...] = ()
    repaired: tuple[str, ...] = ()
    repairable: bool = False
    waits_for: str = ""

    @property
    def ill(self) -> bool:
        """Whether anything is wrong."""
        return any(finding.wrong for finding in self.findings)


def examine(set_up: SetUp, checks: Iterable[HealthCheck], *, repair: bool) -> Iterator[Diagnosis]:
    """Look at everything.

    Args:
        set_up: What is looked at.
        checks: The checks, those that others need before those.
        repair: Mend what can be mended safely, and look again.

    Yields:
        What became of each check, as soon as it is known.
    """
    roots: dict[str, str] = {}  # of checks that are not well: the one to begin with
    for check in checks:
        if cause := next((roots[name] for name in check.needs if name in roots), None):
            roots[check.name] = cause
            yield Diagnosis(check.name, waits_for=cause)
            continue
        found = _diagnosed(set_up, check, repair)
        if found.ill:
            roots[check.name] = check.name
        yield found


def _diagnosed(set_up: SetUp, check: HealthCheck, repair: bool) -> Diagnosis:
    found = Diagnosis(check.name, tuple(_look(set_up, check)))
    if not found.ill or check.repair is None:
        return found
    if not repair:
        return Diagnosis(check.name, found.findings, repairable=True)
    done, problems = list[str](), list[Finding]()
    try:
        done.extend(check.repair(set_up))
    except Exception as error:
        problems.append(Finding(f"cannot be repaired: {_told(error)}"))
    return Diagnosis(check.name, (*_look(set_up, check), *problems), tuple(done))


def _look(set_up: SetUp, check: HealthCheck) -> Iterator[Finding]:
    """What a look finds; an error ends this look alone."""
    try:
        yield from check.look(set_up)
    except Exception as error:
        yield Finding(_told(error))


def _told(error: Exception) -> str:
    if isinstance(error, SpanloopError):
        return str(error)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}; check its permissions"
    return f"cannot be looked at ({type(error).__name__}: {first_line(error)})"
