"""Connection settings with the names of the guide and a hash of their content."""

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
    """(Variable with the name of a setting, key), for each key that a manifest uses."""
    if isinstance(node, list):
        return {reference for item in node for reference in references(item)}
    if not isinstance(node, dict):
        return set()
    own = {(node["name"], node["key"])} if {"name", "key"} <= node.keys() else set()
    return own | {reference for item in node.values() for reference in references(item)}


def test_the_settings_have_the_names_of_the_guide() -> None:
    assert tuple(item.base_name for item in render_settings(VALUES)) == BASE_NAMES


def test_every_key_that_the_rollout_uses_is_in_a_setting() -> None:
    rollout = yaml.safe_load((MANIFESTS / "rollout.yaml").read_text())
    wanted = references(rollout)
    assert wanted
    assert wanted <= {
        (f"${{{item.base_name.upper().replace('-', '_')}}}", key)
        for item in render_settings(VALUES)
        for key in item.data
    }


def test_the_values_of_a_secret_are_stored_in_base64() -> None:
    manifest = setting("rds-config").manifest("genai-demo-production", {})
    assert base64.b64decode(manifest["data"]["password"]).decode() == PASSWORD


def test_an_object_is_immutable_and_in_the_namespace() -> None:
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


def test_no_config_map_contains_a_secret() -> None:
    maps = [item for item in render_settings(VALUES) if item.kind == "ConfigMap"]
    assert len(maps) == 2
    assert PASSWORD not in str([item.manifest("any", {}) for item in maps])


def test_the_application_reads_its_secrets_from_its_environment() -> None:
    content = yaml.safe_load(VALUES.application_yml)
    assert content["spring"]["datasource"]["password"] == "${DB_PASSWORD}"


def test_the_application_verifies_its_database_with_the_file_of_the_authorities() -> None:
    """The ConfigMap is mounted as one folder, in which each key is a file."""
    pod = yaml.safe_load((MANIFESTS / "rollout.yaml").read_text())["spec"]["template"]["spec"]
    (volume,) = (item for item in pod["volumes"] if item.get("configMap") == {"name": "${GENAI_DEMO_CONFIG}"})
    (mount,) = (item for item in pod["containers"][0]["volumeMounts"] if item["name"] == volume["name"])
    url = yaml.safe_load(VALUES.application_yml)["spring"]["datasource"]["url"]
    assert url.endswith(f"?sslmode=verify-full&sslrootcert={mount['mountPath']}/{DATABASE_CA}")
    assert setting("genai-demo-config").data[DATABASE_CA] == VALUES.database_ca


def test_other_authorities_make_another_setting() -> None:
    others = replace(VALUES, database_ca="another")
    assert setting("genai-demo-config").name != setting("genai-demo-config", others).name


def test_neither_values_nor_settings_show_the_password() -> None:
    assert PASSWORD not in repr(VALUES)
    assert PASSWORD not in repr(render_settings(VALUES))


def test_the_plan_shows_names_and_keys_and_no_values() -> None:
    plan = plan_settings(compare_settings(render_settings(VALUES), ()))
    lines = [line for step in plan.steps for line in step.changes]
    assert lines[1] == f"Secret {setting('rds-config').name}: host, port, name, username, password"
    assert lines[3] == f"ConfigMap {setting('genai-demo-config').name}: application.yml, database-ca.pem"
    assert not any(value in str(plan) for value in (PASSWORD, "db.internal", "b-1:9098"))


def test_for_a_setting_that_exists_there_is_nothing_to_do() -> None:
    cache = setting("redis-config")
    plan = plan_settings(compare_settings((cache, setting("rds-config")), [("ConfigMap", cache.name)]))
    assert [step.action for step in plan.steps] == [StepAction.NOTHING, StepAction.CREATE]


def test_settings_are_known_after_the_stacks_that_they_depend_on() -> None:
    plan = plan_settings(ObservedSettings(missing=("MSKStack", "RDSStack")))
    assert tuple(step.name for step in plan.steps) == BASE_NAMES
    assert {step.changes for step in plan.steps} == {("values are known after MSKStack, RDSStack are deployed",)}


def test_settings_that_depend_on_one_stack_are_known_after_this_stack() -> None:
    line = ObservedSettings(missing=("MSKStack",)).known_after("changes")
    assert line == "changes are known after MSKStack is deployed"


def test_an_object_with_another_content_is_recognized() -> None:
    cache = setting("redis-config")
    assert cache.is_content_of(cache.manifest("any", {}))
    assert not cache.is_content_of({"data": {**cache.data, "host": "elsewhere"}})
    assert not cache.is_content_of({})


def test_the_references_of_a_template_are_found_at_each_depth() -> None:
    env = [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "rds-config-1", "key": "password"}}}]
    container = {"env": env, "envFrom": [{"configMapRef": {"name": "flags"}}, {"secretRef": {"name": "keys"}}]}
    volumes = [
        {"configMap": {"name": "genai-demo-config-1"}},
        {"secret": {"secretName": "tls"}},
        {"projected": {"sources": [{"secret": {"name": "token"}}]}},
        {"emptyDir": {}},
    ]
    assert set(find_references({"spec": {"containers": [container], "volumes": volumes}})) == {
        ("Secret", "rds-config-1"),
        ("ConfigMap", "flags"),
        ("Secret", "keys"),
        ("ConfigMap", "genai-demo-config-1"),
        ("Secret", "tls"),
        ("Secret", "token"),
    }


def test_a_setting_is_unused_only_if_neither_a_template_nor_the_release_uses_it() -> None:
    cache = setting("redis-config")
    existing = [("ConfigMap", cache.name), ("ConfigMap", "redis-config-old"), ("ConfigMap", "redis-config-older")]
    template = {"volumes": [{"configMap": {"name": "redis-config-old"}}]}
    assert find_unused(existing, (cache,), [template]) == [("ConfigMap", "redis-config-older")]
