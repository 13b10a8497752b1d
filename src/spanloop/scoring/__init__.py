"""Scoring: from texts to spans with probabilities, and to the statistics that query strategies rank records by.

Everything here works on whole chunks of records laid end to end ("ragged": `(n_words_of_all_records, …)` arrays with
the records' `lengths` beside them), so that no Python runs per token. PyTorch is imported when a model is loaded.
"""

from spanloop.scoring.embedding import embed
from spanloop.scoring.scored_text import ScoredText
from spanloop.scoring.scorer import Scorer, predict

__all__ = ["ScoredText", "Scorer", "embed", "predict"]
