"""Connection settings: secrets and config maps named by their content, so that a revision keeps its own."""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction

HASH_DIGITS = 10
# Every output of the stacks that a connection setting is made of.
NEEDED_OUTPUTS = (
    "broker_cluster_arn",
    "database_secret_arn",
    "database_host",
    "database_port",
    "database_name",
    "cache_host",
    "cache_port",
)
# Where a pod template names one, by the field; a volume's secret calls its name `secretName`.
REFERENCES = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "secret": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMap": "ConfigMap",
}
# As application.yml names it, in the folder where genai-demo-config is mounted.
DATABASE_CA = "database-ca.pem"
BASE_NAMES = ("msk-config", "rds-config", "redis-config", "genai-demo-config")


@dataclass(frozen=True)
class ConnectionValues:
    """What the application is told. username, password: of the database; not shown by repr. database_ca: certificates,
    in PEM, of those who sign the database's.
    """

    bootstrap_servers: str
    database_host: str
    database_port: str
    database_name: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    cache_host: str
    cache_port: str
    application_yml: str = field(repr=False)
    database_ca: str = field(repr=False)


@dataclass(frozen=True)
class ConnectionSetting:
    """A Secret or a ConfigMap. base_name: as the guide's manifests call it. data: by key, in plain text."""

    kind: str
    base_name: str
    data: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The base name and a hash of the content; ten digits of a hash do not tell a generated password."""
        content = json.dumps([self.kind, dict(self.data)], sort_keys=True)
        return f"{self.base_name}-{hashlib.sha256(content.encode()).hexdigest()[:HASH_DIGITS]}"

    def manifest(self, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
        """The immutable object of the Kubernetes API."""
        return {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": namespace, "labels": dict(labels)},
            "immutable": True,
            "data": self._stored(),
        }

    def is_held_by(self, found: Mapping[str, Any]) -> bool:
        """Whether the object that was read holds exactly this content."""
        return (found.get("data") or {}) == self._stored()

    def _stored(self) -> dict[str, str]:
        if self.kind == "ConfigMap":
            return dict(self.data)
        return {key: base64.b64encode(value.encode()).decode() for key, value in self.data.items()}


class WantedSetting(BaseModel):
    """A connection setting without its values. is_there: whether the cluster has an object of that name."""

    model_config = ConfigDict(frozen=True)

    kind: str
    base_name: str
    name: str
    keys: tuple[str, ...]
    is_there: bool


class ObservedSettings(BaseModel):
    """missing: stacks that have to be deployed before the settings are known; wanted is empty then.

    unused: `<kind> <name>` of each earlier setting that no revision names any more.
    """

    model_config = ConfigDict(frozen=True)

    wanted: tuple[WantedSetting, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


def render_settings(values: ConnectionValues) -> tuple[ConnectionSetting, ...]:
    """The guide's four objects under its names and keys, with what its manifests leave unsaid added."""
    database = {
        "host": values.database_host,
        "port": values.database_port,
        "name": values.database_name,
        "username": values.username,
        "password": values.password,
    }
    # The cache of RDSStack takes encrypted connections only.
    cache = {"host": values.cache_host, "port": values.cache_port, "tls": "true"}
    application = {"application.yml": values.application_yml, DATABASE_CA: values.database_ca}
    return (
        ConnectionSetting("Secret", "msk-config", {"bootstrap-servers": values.bootstrap_servers}),
        ConnectionSetting("Secret", "rds-config", database),
        ConnectionSetting("ConfigMap", "redis-config", cache),
        ConnectionSetting("ConfigMap", "genai-demo-config", application),
    )


def compare_settings(
    wanted: tuple[ConnectionSetting, ...], present: Collection[tuple[str, str]], unused: Iterable[tuple[str, str]] = ()
) -> ObservedSettings:
    """present, unused: kind and name of the objects that exist, and of those that no revision names any more."""
    found = (
        WantedSetting(
            kind=setting.kind,
            base_name=setting.base_name,
            name=setting.name,
            keys=tuple(setting.data),
            is_there=(setting.kind, setting.name) in present,
        )
        for setting in wanted
    )
    return ObservedSettings(wanted=tuple(found), unused=tuple(" ".join(named) for named in sorted(unused)))


def find_unused(
    ours: Iterable[tuple[str, str]], wanted: Iterable[ConnectionSetting], templates: Iterable[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Kind and name of the settings that neither a template nor the release in hand names.

    ours: of all settings that releases have put there. templates: of every revision and every pod there is.
    """
    named = {(setting.kind, setting.name) for setting in wanted}
    named = named.union(*(set(find_references(template)) for template in templates))
    return sorted(set(ours) - named)


def find_references(template: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of each Secret and ConfigMap that a pod template takes variables or files from."""
    if isinstance(template, Mapping):
        for key, value in template.items():
            if key in REFERENCES and isinstance(value, Mapping):
                yield REFERENCES[key], value.get("name") or value.get("secretName") or ""
            yield from find_references(value)
    elif isinstance(template, list):
        for item in template:
            yield from find_references(item)


def plan_settings(observed: ObservedSettings) -> PartPlan:
    """A step for each setting that names the object and its keys, never a value."""
    if observed.missing:
        line = f"known after {', '.join(observed.missing)}"
        return PartPlan(steps=tuple(_step(name, StepAction.CREATE, line) for name in BASE_NAMES))
    found = f"No revision names {', '.join(observed.unused)} any more: deleted with the next settings."
    steps = tuple(_plan_setting(setting) for setting in observed.wanted)
    return PartPlan(steps=steps, findings=(found,) if observed.unused else ())


def _plan_setting(setting: WantedSetting) -> Step:
    if setting.is_there:
        return _step(setting.base_name, StepAction.NOTHING)
    return _step(setting.base_name, StepAction.CREATE, f"{setting.kind} {setting.name}: {', '.join(setting.keys)}")


def _step(name: str, action: StepAction, *lines: str) -> Step:
    return Step(phase=Phase.SETTINGS, name=name, action=action, way_back=Reversibility.REVERSIBLE, changes=lines)
