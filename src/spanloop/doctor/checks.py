"""All checks, in the order in which they are made: what others need comes before those."""

from spanloop.doctor import asked, kept, machine, nearby, remade, scheduled, written

CHECKS = (
    *written.CHECKS,
    *kept.CHECKS,
    *remade.CHECKS,
    *nearby.CHECKS,
    *scheduled.CHECKS,  # before Argilla's key, which may be kept in Prefect
    *asked.CHECKS,
    *machine.CHECKS,
)
