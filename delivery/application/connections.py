"""Connection settings: Secrets and ConfigMaps with a hash of their content in the name.

A new content is a new object, so an earlier revision keeps its settings.
"""

import base64
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict

from delivery.plan import PartPlan, Phase, Reversibility, Step, StepAction

HASH_DIGITS = 10
# The stack outputs that the connection settings consist of.
NEEDED_OUTPUTS = (
    "broker_cluster_arn",
    "database_secret_arn",
    "database_host",
    "database_port",
    "database_name",
    "cache_host",
    "cache_port",
)
# Field of a pod template -> the kind that it refers to. The name is in `name`, or in `secretName` for a volume.
REFERENCES = {
    "secretKeyRef": "Secret",
    "secretRef": "Secret",
    "secret": "Secret",
    "configMapKeyRef": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMap": "ConfigMap",
}
# The file that application.yml refers to, in the folder where genai-demo-config is mounted.
DATABASE_CA = "database-ca.pem"
BASE_NAMES = ("msk-config", "rds-config", "redis-config", "genai-demo-config")


@dataclass(frozen=True)
class ConnectionValues:
    """The values that the application gets. username, password: of the database; repr does not show them.

    database_ca: the certificates of the authorities that sign the database's certificate, in PEM.
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
    """A Secret or a ConfigMap. base_name: its name in the guide's manifests. data: key -> value, in plain text."""

    kind: str
    base_name: str
    data: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """The base name and a hash of the content. Ten digits of a hash do not reveal a generated password."""
        content = json.dumps([self.kind, dict(self.data)], sort_keys=True)
        return f"{self.base_name}-{hashlib.sha256(content.encode()).hexdigest()[:HASH_DIGITS]}"

    def manifest(self, namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
        """The immutable object of the Kubernetes API."""
        return {
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {"name": self.name, "namespace": namespace, "labels": dict(labels)},
            "immutable": True,
            "data": self._encoded(),
        }

    def is_content_of(self, manifest: Mapping[str, Any]) -> bool:
        """Whether an object in the cluster has exactly this content."""
        return (manifest.get("data") or {}) == self._encoded()

    def _encoded(self) -> dict[str, str]:
        if self.kind == "ConfigMap":
            return dict(self.data)
        return {key: base64.b64encode(value.encode()).decode() for key, value in self.data.items()}


class WantedSetting(BaseModel):
    """A connection setting without its values. is_present: whether the cluster has an object of that name."""

    model_config = ConfigDict(frozen=True)

    kind: str
    base_name: str
    name: str
    keys: tuple[str, ...]
    is_present: bool


class ObservedSettings(BaseModel):
    """missing: the stacks that must be deployed before the settings are known; `wanted` is then empty.

    unused: `<kind> <name>` of each earlier setting that no revision uses any more.
    """

    model_config = ConfigDict(frozen=True)

    wanted: tuple[WantedSetting, ...] = ()
    missing: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def known_after(self, what: str) -> str:
        """`values are known after MSKStack, RDSStack are deployed`. what: a plural."""
        return f"{what} are known after {', '.join(self.missing)} {'is' if len(self.missing) == 1 else 'are'} deployed"


def render_settings(values: ConnectionValues) -> tuple[ConnectionSetting, ...]:
    """The four objects of the guide, with its names and keys, and with the keys that the guide leaves out."""
    database = {
        "host": values.database_host,
        "port": values.database_port,
        "name": values.database_name,
        "username": values.username,
        "password": values.password,
    }
    # The cache of RDSStack accepts only encrypted connections.
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
    """present, unused: kind and name of the objects that exist, and of those that no revision uses any more."""
    settings = (
        WantedSetting(
            kind=setting.kind,
            base_name=setting.base_name,
            name=setting.name,
            keys=tuple(setting.data),
            is_present=(setting.kind, setting.name) in present,
        )
        for setting in wanted
    )
    return ObservedSettings(wanted=tuple(settings), unused=tuple(" ".join(item) for item in sorted(unused)))


def find_unused(
    existing: Iterable[tuple[str, str]], wanted: Iterable[ConnectionSetting], templates: Iterable[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    """Kind and name of the settings that neither a pod template nor the present release uses.

    existing: kind and name of all settings that releases created. templates: of all revisions and all pods.
    """
    used = {(setting.kind, setting.name) for setting in wanted}
    used = used.union(*(set(find_references(template)) for template in templates))
    return sorted(set(existing) - used)


def find_references(template: Any) -> Iterator[tuple[str, str]]:
    """Kind and name of each Secret and ConfigMap that a pod template uses."""
    if isinstance(template, Mapping):
        for key, value in template.items():
            if key in REFERENCES and isinstance(value, Mapping):
                yield REFERENCES[key], value.get("name") or value.get("secretName") or ""
            yield from find_references(value)
    elif isinstance(template, list):
        for item in template:
            yield from find_references(item)


def plan_settings(observed: ObservedSettings) -> PartPlan:
    """A step for each setting. It names the object and its keys, and contains no value."""
    if observed.missing:
        line = observed.known_after("values")
        return PartPlan(steps=tuple(_step(name, StepAction.CREATE, line) for name in BASE_NAMES))
    steps = tuple(_plan_setting(setting) for setting in observed.wanted)
    return PartPlan(steps=steps, findings=_describe_unused(observed.unused))


def _describe_unused(unused: tuple[str, ...]) -> tuple[str, ...]:
    """The note about unused settings. A release with nothing to do ends before it deletes them."""
    if not unused:
        return ()
    it = "it" if len(unused) == 1 else "them"
    return (f"No revision uses {', '.join(unused)}. A release deletes {it}, unless it has nothing else to do.",)


def _plan_setting(setting: WantedSetting) -> Step:
    if setting.is_present:
        return _step(setting.base_name, StepAction.NOTHING)
    return _step(setting.base_name, StepAction.CREATE, f"{setting.kind} {setting.name}: {', '.join(setting.keys)}")


def _step(name: str, action: StepAction, *lines: str) -> Step:
    return Step(phase=Phase.SETTINGS, name=name, action=action, reversibility=Reversibility.REVERSIBLE, changes=lines)
