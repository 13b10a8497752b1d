"""Settings of the splits, and which split a group belongs to."""

import hashlib
from typing import Protocol

from pydantic import Field, model_validator

from spanloop.config.section import Section
from spanloop.records import Split


class Splits(Protocol):
    """Whatever deals groups to splits: the settings, or a store that keeps what they said first."""

    def split_of(self, group: str) -> Split:
        """The split of a group."""


class SplitConfig(Section):
    """How records are dealt to train, validation and test, by the hash of their group."""

    seed: int = Field(0, ge=0, description="Seed of the split; groups that were dealt keep theirs.")
    validation: float = Field(0.1, ge=0.0, le=0.5, description="Share of the groups for validation; trained on too.")
    test: float = Field(0.1, ge=0.0, le=0.5, description="Share of the groups for the test.")

    @model_validator(mode="after")
    def _training_is_left(self) -> "SplitConfig":
        if self.validation + self.test > 0.8:
            raise ValueError("splits: validation + test leave less than 0.2 for training; lower one of them")
        return self

    def split_of(self, group: str) -> Split:
        """Deal a group to train, validation or test by its hash, before anybody annotates.

        The unit interval is cut into test, validation, train, in this order: a larger validation share takes groups
        from train and leaves the test set as it is.

        Args:
            group: The document that a record comes from.

        Returns:
            The split, the same for every record of the group, on every machine.
        """
        digest = hashlib.sha256(f"{self.seed}\0{group}".encode("utf-8", "surrogatepass")).digest()
        position = int.from_bytes(digest[:8], "big") / 2**64
        if position < self.test:
            return "test"
        return "validation" if position < self.test + self.validation else "train"
