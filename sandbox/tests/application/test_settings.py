import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.application.settings import ApplicationSettings

MANIFESTS = Path("infrastructure/k8s/production")
COMPLETE = {"MSK_BOOTSTRAP_SERVERS": "a:1", "DB_HOST": "db", "DB_PASSWORD": "hidden-password", "REDIS_HOST": "cache"}


def rollout_variables() -> list[dict[str, Any]]:
    rollout = yaml.safe_load((MANIFESTS / "rollout.yaml").read_text())
    return rollout["spec"]["template"]["spec"]["containers"][0]["env"]


def test_the_variables_of_the_guide_are_enough() -> None:
    settings = ApplicationSettings.read(COMPLETE)
    assert (settings.database_port, settings.cache_port, settings.port) == (5432, 6379, 8080)
    assert settings.topic("user.behavior") == "genai-demo.production.observability.user.behavior"


def test_the_rollout_sets_project_and_environment_as_the_application_reads_them() -> None:
    given = {"${PROJECT}": "shop", "${ENVIRONMENT}": "stage"}
    stated = {
        item["name"]: given.get(item["value"], str(item["value"])) for item in rollout_variables() if "value" in item
    }
    assert ApplicationSettings.read(COMPLETE | stated).topic("traces") == "shop.stage.observability.traces"


def test_the_rollout_sets_each_variable_in_the_configuration_of_the_application() -> None:
    content = yaml.safe_dump(yaml.safe_load((MANIFESTS / "application.yml").read_text()))
    assert set(re.findall(r"\$\{(\w+)", content)) <= {item["name"] for item in rollout_variables()}


def test_the_database_is_verified_with_the_file_in_the_mounted_configuration(tmp_path: Path) -> None:
    """A pod of the manifests has the configuration. Without it, SSL_CERT_FILE is used."""
    trusting = COMPLETE | {"SSL_CERT_FILE": "/trust.pem", "POD_ROOT": str(tmp_path)}
    assert ApplicationSettings.read(trusting).database_ca == "/trust.pem"
    mounted = tmp_path / "app" / "config" / "application.yml"
    mounted.parent.mkdir(parents=True)
    mounted.write_text((MANIFESTS / "application.yml").read_text())
    settings = ApplicationSettings.read(trusting)
    assert settings.database_ca == str(mounted.with_name("database-ca.pem"))
    assert settings.ca_bundle == "/trust.pem"


@pytest.mark.parametrize("name", list(COMPLETE))
def test_a_missing_variable_is_named_without_secrets(name: str) -> None:
    with pytest.raises(SystemExit, match=name) as ended:
        ApplicationSettings.read({key: value for key, value in COMPLETE.items() if key != name})
    assert "hidden-password" not in str(ended.value)


def test_another_profile_is_rejected() -> None:
    with pytest.raises(SystemExit, match="SPRING_PROFILES_ACTIVE=test"):
        ApplicationSettings.read({**COMPLETE, "SPRING_PROFILES_ACTIVE": "test"})


def test_an_unknown_behaviour_is_rejected() -> None:
    with pytest.raises(SystemExit, match="BEHAVIOUR=odd is unknown"):
        ApplicationSettings.read({**COMPLETE, "BEHAVIOUR": "odd"})
