"""`docker-compose.yml` without Docker: the compose specification's schema, and whether somebody reads each variable."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from spanloop.local_argilla.environment import ensure_environment
from spanloop.settings import load_config

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?:(:[?-])([^}]*))?\}")
# What the start script of Argilla's image reads before the server begins, and what other programs read by these names.
OF_IMAGES = {"USERNAME", "PASSWORD", "API_KEY", "DO_NOT_TRACK", "HF_HUB_DISABLE_TELEMETRY", "HF_HOME"}
OF_SPANLOOP = {"ARGILLA_API_KEY", "SPANLOOP_HOME"}

# Prints what argilla_server makes of its environment; its package itself, which would build the whole application, is
# not imported.
_ARGILLA_SETTINGS = """
import importlib.util, json, sys, types
package = types.ModuleType("argilla_server")
package.__path__ = importlib.util.find_spec("argilla_server").submodule_search_locations
sys.modules["argilla_server"] = package
from argilla_server.settings import settings
security = types.ModuleType("argilla_server.security")
security.__path__ = [package.__path__[0] + "/security"]
sys.modules["argilla_server.security"] = security
from argilla_server.security.settings import settings as auth
names = ["ARGILLA_" + x.upper() for x in type(settings).model_fields]
names += ["ARGILLA_AUTH_" + x.upper() for x in type(auth).model_fields]
print(json.dumps({"names": names, "url": settings.database_url, "redis": settings.redis_url,
    "search": settings.elasticsearch, "engine": settings.search_engine_is_elasticsearch, "secret": auth.secret_key,
    "postgres": settings.database_is_postgresql, "telemetry": settings.enable_telemetry}))
"""


@pytest.fixture(scope="module")
def text() -> str:
    return COMPOSE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def services(text: str) -> dict[str, Any]:
    """The services with every variable filled in: `the-NAME` for a required one, the default for another."""
    filled = VARIABLE.sub(lambda m: m[3] if m[2] == ":-" else f"the-{m[1]}", text)
    return dict(yaml.safe_load(filled)["services"])


def environment(services: dict[str, Any], name: str) -> dict[str, str]:
    return {key: str(value) for key, value in services[name].get("environment", {}).items()}


def test_it_follows_the_compose_specification(text):
    package = importlib.util.find_spec("check_jsonschema").submodule_search_locations[0]
    schema = json.loads((Path(package) / "builtin_schemas" / "vendor" / "compose-spec.json").read_text())
    jsonschema.validate(yaml.safe_load(text), schema)
    with pytest.raises(jsonschema.ValidationError):  # the schema can fail
        jsonschema.validate(yaml.safe_load(text.replace("restart: unless-stopped", "restarts: always")), schema)


def test_no_secret_has_a_default_and_the_example_names_every_one(text):
    required = {m[1] for m in VARIABLE.finditer(text) if m[2] == ":?"}
    optional = {m[1] for m in VARIABLE.finditer(text) if m[2] == ":-"}
    assert not [m[0] for m in VARIABLE.finditer(text) if m[2] is None]
    assert not [x for x in optional if re.search("PASSWORD|KEY|SECRET|AUTH|USERNAME", x)]
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assigned = dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
    assert set(assigned) - {"COMPOSE_PROFILES"} == required
    assert {assigned[x] for x in required} == {""}
    assert set(re.findall(r"^# (\w+)=", example, re.MULTILINE)) == optional
    defaults = {m[1]: m[3] for m in VARIABLE.finditer(text) if m[2] == ":-"}
    shown = {k: v.split("  ")[0].strip() for k, v in re.findall(r"^# (\w+)=(.*)$", example, re.MULTILINE)}
    assert shown == defaults


def test_every_image_is_pinned(services):
    for name, service in services.items():
        tag = service["image"].rpartition(":")[2]
        assert re.fullmatch(r"(v?\d+\.\d+(\.\d+)?(-.*)?|local(-gpu)?)", tag), name
    base = re.findall(r"^FROM (\S+)", (ROOT / "deployments" / "Dockerfile").read_text(), re.MULTILINE)
    assert all(re.search(r":\d+\.\d+\.\d+-", x) for x in base)


def test_the_versions_are_those_that_the_suite_runs_with(services):
    pins = dict(x.split("==") for x in (ROOT / "constraints.txt").read_text().split() if "==" in x)
    assert services["prefect"]["image"] == f"prefecthq/prefect:{pins['prefect']}-python3.11"
    assert services["argilla"]["image"] == f"argilla/argilla-server:v{pins['argilla']}"


def test_every_service_has_a_health_check_and_waits_for_those_it_needs(services):
    for name, service in services.items():
        assert service["healthcheck"]["test"], name
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            assert how == {"condition": "service_healthy"}


def test_python_of_the_health_checks_compiles(services):
    for service in services.values():
        command = service["healthcheck"]["test"]
        if command[:3] == ["CMD", "python", "-c"]:
            compile(command[3], "health check", "exec")


def test_databases_are_reached_from_inside_only(services, text):
    internal = {k for k, v in yaml.safe_load(text)["networks"].items() if v.get("internal")}
    for name in ("argilla-postgres", "prefect-postgres", "elasticsearch", "redis"):
        assert "ports" not in services[name]
        assert set(services[name]["networks"]) <= internal
    for name in ("argilla", "prefect"):
        assert all(x.startswith("127.0.0.1:") for x in services[name]["ports"])


def test_every_volume_and_network_is_declared(services, text):
    tree = yaml.safe_load(text)
    named = {x.split(":")[0] for s in services.values() for x in s.get("volumes", []) if isinstance(x, str)}
    assert named == set(tree["volumes"])
    assert {x for s in services.values() for x in s["networks"]} == set(tree["networks"])


@pytest.mark.parametrize("name", ["argilla", "argilla-worker"])
def test_argilla_reads_what_it_is_given(services, name, server_environ, tmp_path):
    given = environment(services, name)
    python = ensure_environment(Path(server_environ["SPANLOOP_SERVER_ENV"]))
    environ = given | {"ARGILLA_HOME_PATH": str(tmp_path)}
    done = subprocess.run([python, "-c", _ARGILLA_SETTINGS], check=True, capture_output=True, text=True, env=environ)
    seen = json.loads(done.stdout.splitlines()[-1])
    assert set(given) - OF_IMAGES <= set(seen["names"])
    assert seen["url"] == "postgresql+asyncpg://argilla:the-ARGILLA_POSTGRES_PASSWORD@argilla-postgres:5432/argilla"
    assert (seen["redis"], seen["search"]) == ("redis://redis:6379/0", "http://elasticsearch:9200")
    assert (seen["engine"], seen["postgres"], seen["telemetry"]) == (True, True, False)
    assert seen["secret"] == "the-ARGILLA_AUTH_SECRET_KEY"


def test_argillas_worker_can_be_asked_how_it_is(services, server_environ):
    python = ensure_environment(Path(server_environ["SPANLOOP_SERVER_ENV"]))
    code = "import fakeredis, rq; print(rq.Worker.count(fakeredis.FakeRedis()))"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "0\n"
    assert "rq.Worker.count(redis.from_url(" in services["argilla-worker"]["healthcheck"]["test"][3]


@pytest.mark.parametrize("name", ["prefect", "worker", "worker-gpu"])
def test_prefect_knows_every_setting(services, name):
    from prefect.settings import Settings
    from prefect.settings.legacy import _get_valid_setting_names

    given = {x for x in environment(services, name) if x.startswith("PREFECT_")}
    assert given
    assert given <= _get_valid_setting_names(Settings)


@pytest.mark.parametrize("name", ["worker", "worker-gpu"])
def test_spanloop_reads_what_it_is_given(services, name):
    given = environment(services, name)
    ours = {k: v for k, v in given.items() if not k.startswith("PREFECT_") and k not in OF_IMAGES}
    config = load_config(environ=ours)
    assert config.argilla.api_url == "http://argilla:6900"
    assert config.argilla.api_key_env in ours
    assert set(ours) - OF_SPANLOOP == {"SPANLOOP_ARGILLA__API_URL"}


def test_the_password_of_prefect_is_the_same_on_both_sides(services):
    server, worker = environment(services, "prefect"), environment(services, "worker")
    assert server["PREFECT_SERVER_API_AUTH_STRING"] == worker["PREFECT_API_AUTH_STRING"]


def test_only_the_gpu_profile_asks_for_a_gpu(services):
    assert services["worker"]["profiles"] == ["cpu"]
    assert services["worker-gpu"]["profiles"] == ["gpu"]
    (device,) = services["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert "deploy" not in services["worker"]


def test_the_image_copies_files_that_are_there_and_get_to_the_builder():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    lines = re.findall(r"^COPY (.+)$", (ROOT / "deployments" / "Dockerfile").read_text(), re.MULTILINE)
    sources = [x for line in lines for x in line.split()[:-1]]
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored
