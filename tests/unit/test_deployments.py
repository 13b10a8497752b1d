"""The definition of the deployments, filled for a folder."""

import pytest
import yaml

from spanloop.config import LoopConfig
from spanloop.errors import ServiceError
from spanloop.services.deployments import definition_path, fill, read_definition, write_definition


@pytest.fixture
def definition():
    return read_definition(definition_path())


def test_our_flows_get_the_configuration_and_the_folder(definition, tmp_path):
    config = LoopConfig.model_validate({"task": {"labels": ["person"]}})
    fill(definition, config, tmp_path, {})
    (deployment,) = definition["deployments"]
    assert LoopConfig.model_validate(deployment["parameters"]["config"]) == config
    assert deployment["parameters"]["again"] is False
    assert deployment["work_pool"]["job_variables"]["working_dir"] == str(tmp_path)


@pytest.mark.parametrize("theirs", [[], [{"cron": "30 6 * * 1", "active": True}, {"interval": 60.0}]])
def test_schedules_belong_to_the_user_once_deployed(definition, tmp_path, theirs):
    fill(definition, LoopConfig(), tmp_path, {"another": [{"cron": "* * * * *"}]})
    assert definition["deployments"][0]["schedules"][0]["slug"] == "hourly"
    fill(definition, LoopConfig(), tmp_path, {"round": theirs})
    assert definition["deployments"][0]["schedules"] == theirs


def test_other_peoples_flows_keep_their_parameters(tmp_path):
    theirs = {"name": "x", "entrypoint": "their.flow", "parameters": {"a": 1}, "work_pool": {"name": "spanloop"}}
    fill({"deployments": [theirs]}, LoopConfig(), tmp_path, {})
    assert theirs["parameters"] == {"a": 1}


def test_what_is_written_can_be_read_again(definition, tmp_path):
    fill(definition, LoopConfig.model_validate({"task": {"guidelines": "Ärger: {{ x }}\n- 🙂"}}), tmp_path, {})
    write_definition(definition, tmp_path / "a" / "deployments.yaml")
    assert read_definition(tmp_path / "a" / "deployments.yaml") == definition


@pytest.mark.parametrize("text", ["", "[]", "deployments: []", "deployments: 1", "{"])
def test_a_definition_without_deployments_is_refused(tmp_path, text):
    path = tmp_path / "prefect.yaml"
    path.write_text(text)
    with pytest.raises(ServiceError, match=r"prefect\.yaml"):
        read_definition(path)


def test_the_work_pool_is_the_one_that_the_worker_serves(definition):
    from spanloop.services.prefect import POOL

    assert {x["work_pool"]["name"] for x in definition["deployments"]} == {POOL}
    assert yaml.safe_dump(definition)
