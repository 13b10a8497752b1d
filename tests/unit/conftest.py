"""Settings of the unit tests."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# One thread, before PyTorch is imported: sums are then in the same order on any number of processors.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine makes an example slow, not wrong.
settings.register_profile("spanloop", deadline=None)
settings.load_profile("spanloop")


@pytest.fixture(scope="module")
def on_cpu() -> Iterator[None]:
    """Where figures are compared in fp32: a GPU computes in half precision."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield
