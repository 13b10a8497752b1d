"""What a model folder says about itself in `spanloop.json`."""

import json
from dataclasses import dataclass
from pathlib import Path

from spanloop.errors import TrainingError
from spanloop.model.scores import ScoreScale
from spanloop.model.surface import FEATURES, Feature
from spanloop.model.tag_scheme import TagScheme


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A trained model on disk.

    Attributes:
        path: The folder: a Hugging Face model with its tokenizer, and `spanloop.json`.
        scheme: The tags of the model.
        max_length: Tokens a window, special tokens included.
        stride: Subwords that neighbouring windows share.
        scale: Calibrates the probabilities of spans.
        surface_features: What the model reads of the words' surface as token types.
        min_score: Spans of a lower score are better not suggested.
    """

    path: Path
    scheme: TagScheme
    max_length: int
    stride: int
    scale: ScoreScale
    surface_features: tuple[Feature, ...] = ()
    min_score: float = 0.0

    @classmethod
    def read(cls, path: Path) -> "ModelFolder":
        """Read the description of a model folder; its weights are not looked at.

        Raises:
            TrainingError: There is no such folder, or its `spanloop.json` is missing or unusable.
        """
        about = path / "spanloop.json"
        try:
            content = json.loads(about.read_text(encoding="utf-8"))
            folder = cls(
                path=path,
                scheme=TagScheme(tuple(str(x) for x in content["labels"]), bool(content.get("overlapping", False))),
                max_length=int(content["max_length"]),
                stride=int(content["stride"]),
                scale=ScoreScale(float(content.get("score_slope", 1.0)), float(content.get("score_offset", 0.0))),
                surface_features=tuple(f for f in FEATURES if f in content.get("surface_features", ())),
                min_score=float(content.get("min_score", 0.0)),
            )
        except OSError:
            raise TrainingError(f"{path} is not a model of spanloop: it has no spanloop.json; train one") from None
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(f"{about} cannot be used ({error!r}); train the model again") from None
        if not folder.scheme.labels or not folder.scale.slope > 0:
            raise TrainingError(f"{about} needs labels and a score_slope above 0; train the model again")
        return folder
