"""Settings of the unit tests."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

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
