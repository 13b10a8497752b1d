"""The layers that oneDNN multiplies give what the plain ones give, and stay away where they do not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_families import ARCHITECTURES
from tiny_models import SENTENCES
from tiny_scorers import save_tiny_scorer
from torch import nn
from transformers import AutoModelForTokenClassification, AutoTokenizer

from spanloop.scoring import onednn
from spanloop.scoring.onednn import PackedLinear, pack

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch without oneDNN")


def load(folder: Path) -> Any:
    return AutoModelForTokenClassification.from_pretrained(folder).eval()


def logits(model: Any, folder: Path) -> torch.Tensor:
    inputs = AutoTokenizer.from_pretrained(folder)(SENTENCES[0], return_tensors="pt")
    with torch.inference_mode():
        out: torch.Tensor = model(**inputs).logits
    return out


def count(model: Any, kind: type[nn.Module]) -> int:
    return sum(type(module) is kind for module in model.base_model.modules())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_packed_encoder_gives_the_logits_of_the_plain_one(architecture: str, tmp_path: Path) -> None:
    folder = save_tiny_scorer(tmp_path, architecture)
    plain, packed = load(folder), load(folder)
    pack(packed, 64, lambda: logits(packed, folder))
    assert count(packed, nn.Linear) == 0
    assert count(packed, PackedLinear) == count(plain, nn.Linear) > 0
    torch.testing.assert_close(logits(packed, folder), logits(plain, folder), atol=1e-4, rtol=1e-4)


def test_gelu_is_taken_along(tmp_path: Path) -> None:
    folder = save_tiny_scorer(tmp_path, "bert")
    model = load(folder)
    pack(model, 64, lambda: logits(model, folder))
    assert count(model, nn.Identity) == model.config.num_hidden_layers


@pytest.mark.parametrize("tokens", [1, 7, 64, 100])
def test_a_layer_is_right_for_any_number_of_tokens(tokens: int) -> None:
    torch.manual_seed(0)
    linear = nn.Linear(12, 20)
    x = torch.randn(1, tokens, 12)
    with torch.inference_mode():
        torch.testing.assert_close(PackedLinear(linear, 64)(x), linear(x), atol=1e-5, rtol=1e-5)
        gelu = PackedLinear(linear, 64, gelu=True)(x)
        torch.testing.assert_close(gelu, nn.functional.gelu(linear(x)), atol=1e-5, rtol=1e-5)


def test_layers_with_other_figures_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = save_tiny_scorer(tmp_path, "bert")
    plain, model = load(folder), load(folder)
    monkeypatch.setattr(onednn.PackedLinear, "forward", lambda self, x: torch.full((5, 1), torch.nan))
    pack(model, 64, lambda: logits(model, folder))
    assert count(model, PackedLinear) == 0
    assert torch.equal(logits(model, folder), logits(plain, folder))
