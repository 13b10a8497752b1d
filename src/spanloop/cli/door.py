"""How commands reach Argilla."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanloop.argilla import ArgillaClient
    from spanloop.config import LoopConfig


def open_argilla(config: "LoopConfig") -> "ArgillaClient":
    """`argilla.connect`; where that has to ask Prefect for the key, Prefect gets its variables first."""
    from spanloop.argilla.connection import connect, needs_prefect

    if needs_prefect(config):
        from spanloop.services.prefect_environment import prepare_prefect

        prepare_prefect(os.environ)
    return connect(config)
