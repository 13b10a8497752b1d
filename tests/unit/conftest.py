"""Settings of the unit tests."""

import os

from hypothesis import settings

# One thread, before PyTorch is imported: sums are then in the same order on any number of processors.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine makes an example slow, not wrong.
settings.register_profile("spanloop", deadline=None)
settings.load_profile("spanloop")
