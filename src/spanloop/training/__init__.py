"""Training of a token classifier on a snapshot."""

from spanloop.training.entry import train
from spanloop.training.outcome import TrainProgress, TrainResult

__all__ = ["TrainProgress", "TrainResult", "train"]
