"""Training on packed windows learns what training on each window alone would."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_families import ARCHITECTURES, PACKED
from tiny_models import SENTENCES
from tiny_scorers import save_tiny_scorer
from transformers import AutoModelForTokenClassification, AutoTokenizer

from spanloop.model.encoding import Encoder
from spanloop.model.forward import Forward
from spanloop.model.layout import lay_out
from spanloop.model.probe import probe
from spanloop.training import attention


def gradients(model: Any, loss: torch.Tensor) -> torch.Tensor:
    model.zero_grad()
    loss.backward()
    return torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("multiple", [1, 32])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_gradients_of_a_batch_are_those_of_its_windows_one_by_one(
    architecture: str, multiple: int, tmp_path: Path
) -> None:
    folder = save_tiny_scorer(tmp_path, architecture)
    model: Any = AutoModelForTokenClassification.from_pretrained(folder).eval()
    encoder = Encoder(AutoTokenizer.from_pretrained(folder), 32, 8)
    encoded = encoder.encode(SENTENCES)
    rows = np.arange(min(6, len(encoded.windows)))

    alone = torch.zeros(())
    for row in rows:
        subwords = encoded.subword_ids[encoded.windows.start[row] : encoded.windows.stop[row]]
        ids = torch.tensor([[*encoder.prefix, *subwords, *encoder.suffix]])
        alone = alone + model(input_ids=ids).logits.square().sum()
    wanted = gradients(model, alone)

    forward = Forward(model, torch.device("cpu"), encoder.pad_id, 4096, multiple)
    probe(forward, (32, 7), attention.NAME, trains=True)
    assert (forward.first_position is not None) == (architecture in PACKED)
    layout = lay_out(encoded, encoder.prefix, encoder.suffix, 4096, rows=rows)
    found = gradients(model, forward.batch(layout, layout.batches[0])[0].square().sum())
    assert len(found) == len(wanted)
    assert float((found - wanted).abs().max()) <= 2e-3 * float(wanted.abs().max())
