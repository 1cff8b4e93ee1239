"""Connection settings under the guide's names, identified by their content."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from delivery.application.connections import (
    BASE_NAMES,
    DATABASE_CA,
    ConnectionSetting,
    ConnectionValues,
    ObservedSettings,
    compare_settings,
    find_references,
    find_unused,
    plan_settings,
    render_settings,
)
from delivery.plan import StepAction

MANIFESTS = Path(__file__).resolve().parents[3] / "infrastructure" / "k8s" / "production"
PASSWORD = "correct-horse-battery-staple"
VALUES = ConnectionValues(
    bootstrap_servers="b-1:9098,b-2:9098",
    database_host="db.internal",
    database_port="5432",
    database_name="genai_demo",
    username="admin",
    password=PASSWORD,
    cache_host="cache.internal",
    cache_port="6379",
    application_yml=(MANIFESTS / "application.yml").read_text(),
    database_ca="-----BEGIN CERTIFICATE-----",
)


def setting(base_name: str, values: ConnectionValues = VALUES) -> ConnectionSetting:
    return next(item for item in render_settings(values) if item.base_name == base_name)


def references(node: Any) -> set[tuple[str, str]]:
    """Every (variable of a setting's name, key) that a manifest reads."""
    if isinstance(node, list):
        return {found for item in node for found in references(item)}
    if not isinstance(node, dict):
        return set()
    named = {(node["name"], node["key"])} if {"name", "key"} <= node.keys() else set()
    return named | {found for item in node.values() for found in references(item)}


def test_the_settings_have_the_guides_names() -> None:
    assert tuple(item.base_name for item in render_settings(VALUES)) == BASE_NAMES


def test_every_key_that_the_rollout_reads_is_in_a_setting() -> None:
    rollout = yaml.safe_load((MANIFESTS / "rollout.yaml").read_text())
    wanted = references(rollout)
    assert wanted
    assert wanted <= {
        (f"${{{item.base_name.upper().replace('-', '_')}}}", key)
        for item in render_settings(VALUES)
        for key in item.data
    }


def test_a_secrets_values_are_stored_in_base64() -> None:
    manifest = setting("rds-config").manifest("genai-demo-production", {})
    assert base64.b64decode(manifest["data"]["password"]).decode() == PASSWORD


def test_an_object_is_immutable_and_stands_in_the_namespace() -> None:
    manifest = setting("redis-config").manifest("genai-demo-production", {"a": "b"})
    assert manifest == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": setting("redis-config").name, "namespace": "genai-demo-production", "labels": {"a": "b"}},
        "immutable": True,
        "data": {"host": "cache.internal", "port": "6379", "tls": "true"},
    }


def test_the_name_changes_with_the_content_and_with_nothing_else() -> None:
    rotated = replace(VALUES, password="another")
    assert re.fullmatch(r"rds-config-[0-9a-f]{10}", setting("rds-config").name)
    assert setting("rds-config").name == setting("rds-config", replace(VALUES)).name
    assert setting("rds-config").name != setting("rds-config", rotated).name
    assert setting("msk-config").name == setting("msk-config", rotated).name


def test_no_config_map_holds_a_secret() -> None:
    maps = [item for item in render_settings(VALUES) if item.kind == "ConfigMap"]
    assert len(maps) == 2
    assert PASSWORD not in str([item.manifest("any", {}) for item in maps])


def test_the_application_reads_its_secrets_from_its_environment() -> None:
    content = yaml.safe_load(VALUES.application_yml)
    assert content["spring"]["datasource"]["password"] == "${DB_PASSWORD}"


def test_the_application_is_told_where_the_authorities_are_that_its_database_is_verified_by() -> None:
    """The config map is one folder: every key of it a file beside application.yml."""
    pod = yaml.safe_load((MANIFESTS / "rollout.yaml").read_text())["spec"]["template"]["spec"]
    (volume,) = (found for found in pod["volumes"] if found.get("configMap") == {"name": "${GENAI_DEMO_CONFIG}"})
    (mount,) = (found for found in pod["containers"][0]["volumeMounts"] if found["name"] == volume["name"])
    url = yaml.safe_load(VALUES.application_yml)["spring"]["datasource"]["url"]
    assert url.endswith(f"?sslmode=verify-full&sslrootcert={mount['mountPath']}/{DATABASE_CA}")
    assert setting("genai-demo-config").data[DATABASE_CA] == VALUES.database_ca


def test_other_authorities_are_another_setting_for_the_pods() -> None:
    others = replace(VALUES, database_ca="another")
    assert setting("genai-demo-config").name != setting("genai-demo-config", others).name


def test_neither_values_nor_settings_show_the_password() -> None:
    assert PASSWORD not in repr(VALUES)
    assert PASSWORD not in repr(render_settings(VALUES))


def test_the_plan_shows_names_and_keys_and_no_value() -> None:
    plan = plan_settings(compare_settings(render_settings(VALUES), ()))
    lines = [line for step in plan.steps for line in step.changes]
    assert lines[1] == f"Secret {setting('rds-config').name}: host, port, name, username, password"
    assert lines[3] == f"ConfigMap {setting('genai-demo-config').name}: application.yml, database-ca.pem"
    assert not any(value in str(plan) for value in (PASSWORD, "db.internal", "b-1:9098"))


def test_a_setting_that_is_there_is_nothing_to_do() -> None:
    cache = setting("redis-config")
    plan = plan_settings(compare_settings((cache, setting("rds-config")), [("ConfigMap", cache.name)]))
    assert [step.action for step in plan.steps] == [StepAction.NOTHING, StepAction.CREATE]


def test_settings_are_known_after_the_stacks_they_are_made_of() -> None:
    plan = plan_settings(ObservedSettings(missing=("MSKStack", "RDSStack")))
    assert tuple(step.name for step in plan.steps) == BASE_NAMES
    assert {step.changes for step in plan.steps} == {("known after MSKStack, RDSStack",)}


def test_an_object_of_other_content_is_told_apart() -> None:
    cache = setting("redis-config")
    assert cache.is_held_by(cache.manifest("any", {}))
    assert not cache.is_held_by({"data": {**cache.data, "host": "elsewhere"}})
    assert not cache.is_held_by({})


def test_what_a_template_takes_variables_and_files_from_is_found_wherever_it_stands() -> None:
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "rds-config-1", "key": "password"}}}]
    container = {"env": env, "envFrom": [{"configMapRef": {"name": "flags"}}, {"secretRef": {"name": "keys"}}]}
    volumes = [
        {"configMap": {"name": "genai-demo-config-1"}},
        {"secret": {"secretName": "tls"}},
        {"projected": {"sources": [{"secret": {"name": "token"}}]}},
        {"emptyDir": {}},
    ]
    found = set(find_references({"spec": {"containers": [container], "volumes": volumes}}))
    assert found == {
        ("Secret", "rds-config-1"),
        ("ConfigMap", "flags"),
        ("Secret", "keys"),
        ("ConfigMap", "genai-demo-config-1"),
        ("Secret", "tls"),
        ("Secret", "token"),
    }


def test_a_setting_is_unused_only_if_neither_a_template_nor_the_release_names_it() -> None:
    cache = setting("redis-config")
    ours = [("ConfigMap", cache.name), ("ConfigMap", "redis-config-old"), ("ConfigMap", "redis-config-older")]
    template = {"volumes": [{"configMap": {"name": "redis-config-old"}}]}
    assert find_unused(ours, (cache,), [template]) == [("ConfigMap", "redis-config-older")]
