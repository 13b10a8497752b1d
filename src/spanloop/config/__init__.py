"""The whole configuration as one tree of sections, each in the module of its theme."""

from spanloop.config.annotating import AnnotationConfig, ArgillaConfig, ColumnsConfig, TaskConfig
from spanloop.config.keeping import RetentionConfig
from spanloop.config.modelling import GateConfig, RoundConfig, ScoringConfig, TrainingConfig
from spanloop.config.selecting import SelectionConfig
from spanloop.config.splitting import SplitConfig, Splits
from spanloop.config.tree import HubConfig, LoopConfig

__all__ = [
    "AnnotationConfig",
    "ArgillaConfig",
    "ColumnsConfig",
    "GateConfig",
    "HubConfig",
    "LoopConfig",
    "RetentionConfig",
    "RoundConfig",
    "ScoringConfig",
    "SelectionConfig",
    "SplitConfig",
    "Splits",
    "TaskConfig",
    "TrainingConfig",
]
