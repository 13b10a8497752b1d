"""Which pending records annotators see first. No torch here: it reads the statistics of a scoring pass."""

from spanloop.selection.pool import Pending, Pool
from spanloop.selection.queue import prioritise, uncertainties
from spanloop.selection.reranking import STEPS
from spanloop.selection.strategies import STRATEGIES, Strategy

__all__ = ["STEPS", "STRATEGIES", "Pending", "Pool", "Strategy", "prioritise", "uncertainties"]
