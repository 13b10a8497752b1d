"""What pip is configured to do, told to uv, which reads no configuration of pip's.

Plain standard library: `.ci/make_venv.py` runs it before anything is installed.
"""

import ast
import os
import re
from collections.abc import Mapping

_SECTIONS = ("global.", "install.", ":env:.")  # of `pip config list`, the later over the earlier, as for `pip install`
_ALIASES = {"pypi-url": "index-url", "default-timeout": "timeout"}
_WHERE = ("index-url", "extra-index-url", "find-links", "no-index")  # the settings that say where packages are
_UV_WHERE = ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_YES = ("y", "yes", "t", "true", "on", "1")


def read_pip_settings(listed: str) -> dict[str, str]:
    """The settings that `pip install` goes by.

    Args:
        listed: What `pip config list` prints: `section.key='value'` with the value as a Python literal. Variables like
            `PIP_FIND_LINKS` stand in the section `:env:`.
    """
    found: dict[str, str] = {}
    lines = [line.partition("=") for line in listed.splitlines()]
    for section in _SECTIONS:
        for name, _, literal in lines:
            if name.startswith(section) and (value := str(ast.literal_eval(literal)).strip()):
                key = name.removeprefix(section)
                found[_ALIASES.get(key, key)] = value
    return found


def settings_for_index(settings: Mapping[str, str], index: str) -> dict[str, str]:
    """The same settings with one index in the place of all that they name; certificates, proxy and so on stay."""
    return {"index-url": index} | {k: v for k, v in settings.items() if k not in _WHERE}


def pip_environ(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which pip goes by `settings` and by nothing else."""
    kept = {k: v for k, v in environ.items() if not k.startswith("PIP_")}
    named = {f"PIP_{k.upper().replace('-', '_')}": v for k, v in settings.items()}
    return kept | named | {"PIP_CONFIG_FILE": "/dev/null"}


def uv_environ(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """An environment in which uv goes by `settings`; addresses may hold passwords, which is why they are no options.

    What uv's own variables say stays as it is. To pip all indexes are one: uv is told to see them so. A folder of
    wheels that is not there is left out: pip passes over it, uv gives up.
    """
    told = {
        "UV_DEFAULT_INDEX": settings.get("index-url"),
        "UV_INDEX": " ".join(_words(settings, "extra-index-url")),
        "UV_INDEX_STRATEGY": "unsafe-best-match" if "extra-index-url" in settings else None,
        "UV_FIND_LINKS": ",".join(x for x in _words(settings, "find-links") if "://" in x or os.path.exists(x)),
        "UV_INSECURE_HOST": " ".join(_words(settings, "trusted-host")),
        "UV_HTTP_TIMEOUT": settings.get("timeout", "").partition(".")[0],
        "UV_HTTP_RETRIES": settings.get("retries"),
        "UV_PRERELEASE": "allow" if is_yes(settings, "pre") else None,
        "UV_KEYRING_PROVIDER": "subprocess" if settings.get("keyring-provider") in ("import", "subprocess") else None,
        "SSL_CERT_FILE": settings.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE"),
        "SSL_CLIENT_CERT": settings.get("client-cert"),
        "HTTP_PROXY": settings.get("proxy"),
        "HTTPS_PROXY": settings.get("proxy"),
    }
    own = {k: v for k, v in environ.items() if k.startswith("UV_")}
    return dict(environ) | {k: v for k, v in told.items() if v} | own


def without_indexes(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without uv's own variables about where packages are."""
    return {k: v for k, v in environ.items() if k not in _UV_WHERE}


def uv_options(settings: Mapping[str, str]) -> list[str]:
    """The options of `uv pip install` for those settings that have no variable, or one that options replace."""
    options = ["--no-index"] if is_yes(settings, "no-index") else []
    for name in ("constraint", "only-binary", "no-binary"):
        options += [x for word in _words(settings, name) for x in (f"--{name}", word)]
    return options


def without_secrets(text: str) -> str:
    """The text with the user and password of every address left out."""
    return re.sub(r"://[^/@\s]+@", "://****@", text)


def is_yes(settings: Mapping[str, str], key: str) -> bool:
    """Whether a switch is on, in pip's spelling."""
    return settings.get(key, "").lower() in _YES


def _words(settings: Mapping[str, str], key: str) -> list[str]:
    """The values of a setting that takes several: pip parts them at white space, and formats at commas."""
    parted = r"[\s,]+" if key.endswith("-binary") else r"\s+"
    return [x for x in re.split(parted, settings.get(key, "")) if x]
