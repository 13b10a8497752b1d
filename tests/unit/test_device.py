"""Which device, precision and thread count are chosen."""

import pytest
import torch

from spanloop.model.device import available_cpus, find_device, set_threads


@pytest.mark.parametrize(
    ("can", "precision"), [({"amx_bf16": True}, "bf16"), ({"avx512_bf16": True}, "bf16"), ({"avx512_f": True}, "no")]
)
def test_a_cpu_scores_in_fp32_and_trains_in_bf16_only_with_units_for_it(
    monkeypatch: pytest.MonkeyPatch, can: dict[str, bool], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert find_device().precision == "no"
    assert find_device(training=True).precision == precision


@pytest.mark.parametrize(
    ("capability", "precision"), [((9, 0), "bf16"), ((8, 0), "bf16"), ((7, 5), "fp16"), ((6, 1), "no")]
)
def test_cuda_precision_follows_the_compute_capability(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], precision: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Test GPU")
    device = find_device(training=True)
    assert device.precision == precision
    assert str(device).startswith("2 Test GPU devices, " + ("fp32" if precision == "no" else precision))
    assert f"{capability[0]}.{capability[1]}" in str(device)


def test_what_is_asked_for_is_used_where_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert find_device("bf16").precision == "bf16"
    asked = find_device("fp16")
    assert asked.precision == "no"
    assert "fp16 was asked for" in asked.reason


def test_threads_follow_the_processors_and_the_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert 1 <= set_threads() <= available_cpus()
        assert set_threads(processes=1000) == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        torch.set_num_threads(3)
        assert set_threads() == 3
    finally:
        torch.set_num_threads(before)
