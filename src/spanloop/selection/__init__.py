"""Which pending records annotators see first. No torch here: it reads the statistics of a scoring pass.

`prioritise` is the whole path from what is known of the records to the queue: rounds and rehearsals call it alike.
"""

from spanloop.selection.pool import Annotated, Pending, Pool
from spanloop.selection.queue import prioritise, uncertainties, wants_embeddings
from spanloop.selection.reranking import STEPS
from spanloop.selection.strategies import STRATEGIES, Strategy

__all__ = [
    "STEPS",
    "STRATEGIES",
    "Annotated",
    "Pending",
    "Pool",
    "Strategy",
    "prioritise",
    "uncertainties",
    "wants_embeddings",
]
