"""What is looked at, made as it is first asked for: a check that asks for little waits for little."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from spanloop.argilla.client import ArgillaClient
from spanloop.argilla.dataset import DatasetRef
from spanloop.config import LoopConfig
from spanloop.services.prefect_api import PrefectApi
from spanloop.settings import home, load_what_fits
from spanloop.store import Store

_PATIENCE = 10.0  # seconds; whoever asks how things are does not want to wait as long as a round does


@dataclass
class SetUp:
    """One user's loop with all that it stands on. A context manager: closes the connection to Argilla.

    Attributes:
        file: The configuration's file; None: as `load_config` finds it.
        environ: Environment variables.
        open_argilla: Opens the Argilla of a configuration.
        find_prefect: Finds the Prefect server that is configured: the address of one that was passed over, and the one
            that flows would run on; None is a temporary one.
    """

    file: Path | None
    environ: Mapping[str, str]
    open_argilla: Callable[[LoopConfig], ArgillaClient]
    find_prefect: Callable[[], tuple[str | None, PrefectApi | None]]
    _open: list[ArgillaClient] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._open:
            client.close()

    @cached_property
    def read(self) -> tuple[LoopConfig | None, list[str]]:
        """The configuration as far as it fits, and a line for each value that does not."""
        return load_what_fits(self.file, self.environ)

    @property
    def config(self) -> LoopConfig:
        """The configuration, for checks that need `configuration`."""
        config, problems = self.read
        if config is None:
            raise ValueError(*problems)
        return config

    @property
    def home(self) -> Path:
        """The folder of spanloop's own services."""
        return home(self.environ)

    @property
    def store(self) -> Store:
        """The store of the configuration."""
        return Store(self.config.store)

    def holding_store(self) -> AbstractContextManager[int]:
        """Hold the store for a repair, as a round does."""
        return self.store.lock("spanloop doctor")

    @cached_property
    def client(self) -> ArgillaClient:
        """A connection to Argilla with the configured key."""
        hasty = self.config.model_copy(deep=True)
        hasty.argilla.timeout_seconds = min(_PATIENCE, hasty.argilla.timeout_seconds)
        self._open.append(client := self.open_argilla(hasty))
        return client

    @cached_property
    def dataset(self) -> DatasetRef:
        """The dataset of the configuration, whatever its labels."""
        from spanloop.argilla.dataset import dataset_as_it_is

        return dataset_as_it_is(self.client, self.config)

    @cached_property
    def prefect(self) -> tuple[str | None, PrefectApi | None]:
        """What `find_prefect` found."""
        return self.find_prefect()
