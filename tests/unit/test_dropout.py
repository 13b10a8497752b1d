"""Dropout from random bytes."""

from pathlib import Path

import pytest
import torch
from tiny_models import LABELS, save_tiny_encoder
from torch import nn

from spanloop.training.dropout import Dropout, Masks, replace_dropout
from spanloop.training.pretrained import load_model


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_wanted_share_is_dropped_and_the_mean_kept(p: float) -> None:
    out = Dropout(p, Masks())(torch.ones(500, 401))
    assert float((out == 0).float().mean()) == pytest.approx(p, abs=0.01)
    assert float(out.mean()) == pytest.approx(1, abs=0.02)


def test_gradients_flow_where_activations_stay() -> None:
    x = torch.ones(64, 64, requires_grad=True)
    out = Dropout(0.3, Masks())(x)
    out.sum().backward()
    assert torch.equal(x.grad, out.detach())


def test_a_seed_gives_its_masks_again_and_evaluation_drops_nothing() -> None:
    masks = Masks()
    layer, x = Dropout(0.3, masks), torch.ones(64, 64, dtype=torch.bfloat16)
    masks.seed(5)
    first = layer(x)
    assert first.dtype == torch.bfloat16
    assert not torch.equal(first, layer(x))
    masks.seed(5)
    assert torch.equal(first, layer(x))
    assert torch.equal(layer.eval()(x), x)


def test_every_dropout_of_a_model_is_replaced_and_its_weights_keep_their_names(tmp_path: Path) -> None:
    model, _ = load_model(str(save_tiny_encoder(tmp_path)), LABELS, 0)
    names = list(model.state_dict())
    replace_dropout(model)
    assert not [m for m in model.modules() if type(m) is nn.Dropout]
    assert [m for m in model.modules() if isinstance(m, Dropout)]
    assert list(model.state_dict()) == names
