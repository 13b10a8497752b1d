"""Credentials: generated once, readable by their owner only, never shown by accident."""

import json
import stat
from pathlib import Path

import pytest

from spanloop.argilla.credentials import credentials_path, ensure_credentials, read_credentials
from spanloop.errors import ServiceError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_read_them(tmp_path):
    path = credentials_path(tmp_path)
    ensure_credentials(path, "http://127.0.0.1:6900")
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700


def test_a_file_that_became_readable_is_closed_again(tmp_path):
    path = credentials_path(tmp_path)
    ensure_credentials(path, "http://127.0.0.1:6900")
    path.chmod(0o644)
    ensure_credentials(path, "http://127.0.0.1:6900")
    assert mode(path) == 0o600


def test_a_second_start_keeps_them_and_notes_the_new_address(tmp_path):
    path = credentials_path(tmp_path)
    first = ensure_credentials(path, "http://127.0.0.1:6900")
    second = ensure_credentials(path, "http://127.0.0.1:7000")
    assert second.api_url == "http://127.0.0.1:7000"
    assert read_credentials(path) == second
    for name in ("username", "password", "api_key", "auth_secret"):
        assert getattr(second, name) == getattr(first, name)
    assert [x.name for x in path.parent.iterdir()] == ["credentials.json"]


def test_two_homes_share_no_secret(tmp_path):
    one = ensure_credentials(tmp_path / "a" / "c.json", "http://127.0.0.1:6900")
    two = ensure_credentials(tmp_path / "b" / "c.json", "http://127.0.0.1:6900")
    assert not {one.password, one.api_key, one.auth_secret} & {two.password, two.api_key, two.auth_secret}
    assert len(one.api_key) >= 40
    assert 16 <= len(one.password) <= 100


def test_no_secret_is_in_their_representation(tmp_path):
    made = ensure_credentials(credentials_path(tmp_path), "http://127.0.0.1:6900")
    for secret in (made.password, made.api_key, made.auth_secret):
        assert secret not in repr(made)
        assert secret not in f"{made}"


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"username": "owner"})])
def test_a_damaged_file_is_named_and_left_alone(tmp_path, text):
    path = tmp_path / "credentials.json"
    path.write_text(text)
    with pytest.raises(ServiceError, match=r"credentials\.json is damaged"):
        ensure_credentials(path, "http://127.0.0.1:6900")
    assert path.read_text() == text
