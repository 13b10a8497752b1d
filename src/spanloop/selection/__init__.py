"""Which pending records annotators see first. No torch here: it reads the statistics of a scoring pass."""

from spanloop.selection.pending import Pending
from spanloop.selection.queue import prioritise, uncertainties
from spanloop.selection.strategies import STRATEGIES

__all__ = ["STRATEGIES", "Pending", "prioritise", "uncertainties"]
