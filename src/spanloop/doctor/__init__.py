"""`spanloop doctor`: looks at everything that a round needs, says what is wrong in a line each, and mends what is safe.

A check is a small function that looks, and perhaps one that repairs, registered in `checks.CHECKS`. Nothing of
people's is touched: no response, schedule, setting of Argilla or choice; what is damaged is set aside, or is a cache.

    health_check  what a check is, and what it finds         examination  looking, repairing, looking again
    set_up        what is looked at: configuration, store…   checks       all checks, in their order
    written       the configuration                          kept         the store, and what it publishes
    remade        caches, checkpoints, interrupted rounds    asked        Argilla, the dataset in it, its key
    nearby        the local Argilla                          scheduled    Prefect, its deployments and workers
    machine       room, ports, clock, device, encoder
"""

from spanloop.doctor.checks import CHECKS
from spanloop.doctor.examination import Diagnosis, examine
from spanloop.doctor.set_up import SetUp

__all__ = ["CHECKS", "Diagnosis", "SetUp", "examine"]
