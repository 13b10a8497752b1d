"""Who may enter the local Argilla: generated once, kept in a file that only its owner can read."""

import json
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from spanloop.durable import replace_file, to_json
from spanloop.errors import ServiceError
from spanloop.processes.files import writing

OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the local server and its clients share.

    Attributes:
        username: The owner account.
        password: Its password for the web UI.
        api_key: Its key for the REST API.
        auth_secret: Signs the logins; as long as it stays, logins survive a restart.
        api_url: Address of the local server at its last start.
    """

    username: str
    password: str
    api_key: str
    auth_secret: str
    api_url: str

    def __repr__(self) -> str:
        """Name the account, never its secrets: a traceback or a log may show this."""
        return f"Credentials(username={self.username!r}, api_url={self.api_url!r})"


def credentials_path(home: Path) -> Path:
    """Where the credentials of the local Argilla of `home` are kept."""
    return home / "argilla" / "credentials.json"


def read_credentials(path: Path) -> Credentials | None:
    """Read the credentials.

    Returns:
        The credentials, or None where there are none yet.

    Raises:
        ServiceError: The file cannot be read or is damaged.
    """
    try:
        return Credentials(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ServiceError(f"{path} cannot be read: {error.strerror}; its owner may") from None
    except (ValueError, TypeError):
        raise ServiceError(f"{path} is damaged; put it back from a copy, or remove it to get a new password") from None


def ensure_credentials(path: Path, api_url: str) -> Credentials:
    """Read the credentials, or generate them; note the address that the server is about to have.

    Args:
        path: The credentials file; it and its folder become readable by their owner only.
        api_url: Address that clients on this machine reach the server at.

    Raises:
        ServiceError: The file is damaged, or cannot be read or written.
    """
    known = read_credentials(path)
    credentials = replace(known, api_url=api_url) if known else _generate(api_url)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.parent.chmod(0o700)
        if credentials != known:
            replace_file(path, to_json(asdict(credentials)), mode=0o600)
        path.chmod(0o600)
    return credentials


def _generate(api_url: str) -> Credentials:
    return Credentials(
        username=OWNER,
        password=secrets.token_urlsafe(12),
        api_key=secrets.token_urlsafe(32),
        auth_secret=secrets.token_hex(32),
        api_url=api_url,
    )
