"""A container's environment variables, from values, Secrets, ConfigMaps and the pod's own fields."""

import base64
import re
from collections.abc import Iterator

from sandbox.kubernetes.api.objects.kinds import CONFIG_MAPS, SECRETS, Kind, Object, name_of, namespace_of, value_at
from sandbox.kubernetes.api.storage.registry import Registry

_REFERENCE = re.compile(r"\$\((?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\)")
_FIELD_KEY = re.compile(r"metadata\.(?P<map>labels|annotations)\['(?P<key>[^']+)'\]")


class ConfigError(Exception):
    """A Secret, a ConfigMap or a key that the container requires does not exist."""


def resolve_environment(registry: Registry, pod: Object, container: Object) -> dict[str, str]:
    """Name and value of each variable in the container's spec. Raises ConfigError."""
    variables: dict[str, str] = {}
    for source in container.get("envFrom") or []:
        variables |= dict(_from_source(registry, pod, source))
    for variable in container.get("env") or []:
        value = _value(registry, pod, variable)
        if value is not None:
            variables[variable["name"]] = _expand(value, variables)
    return variables


def read_data(registry: Registry, kind: Kind, namespace: str, name: str) -> dict[str, bytes]:
    """Keys and values of a Secret or ConfigMap. Raises ConfigError if it does not exist."""
    found = registry.find(kind, namespace, name)
    if found is None:
        raise ConfigError(f'{kind.kind.lower()} "{name}" not found')
    if kind is SECRETS:
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}


def _value(registry: Registry, pod: Object, variable: Object) -> str | None:
    source = variable.get("valueFrom")
    if not source:
        return variable.get("value", "")
    if "fieldRef" in source:
        return _field(pod, source["fieldRef"]["fieldPath"])
    for field, kind in (("secretKeyRef", SECRETS), ("configMapKeyRef", CONFIG_MAPS)):
        if field in source:
            return _key(registry, pod, kind, source[field])
    raise ConfigError(f"variable {variable['name']}: the sandbox does not support the source {sorted(source)}")


def _key(registry: Registry, pod: Object, kind: Kind, reference: Object) -> str | None:
    namespace, name, key = namespace_of(pod), reference["name"], reference["key"]
    try:
        data = read_data(registry, kind, namespace, name)
        if key not in data:
            raise ConfigError(f"couldn't find key {key} in {kind.kind} {namespace}/{name}")
    except ConfigError:
        if reference.get("optional"):
            return None
        raise
    return data[key].decode()


def _from_source(registry: Registry, pod: Object, source: Object) -> Iterator[tuple[str, str]]:
    field, kind = ("secretRef", SECRETS) if "secretRef" in source else ("configMapRef", CONFIG_MAPS)
    try:
        data = read_data(registry, kind, namespace_of(pod), source[field]["name"])
    except ConfigError:
        if source[field].get("optional"):
            return
        raise
    for key, value in data.items():
        yield source.get("prefix", "") + key, value.decode()


def _field(pod: Object, path: str) -> str:
    if match := _FIELD_KEY.fullmatch(path):
        return (pod["metadata"].get(match["map"]) or {}).get(match["key"], "")
    value = value_at(pod, path)
    if value is None:
        raise ConfigError(f"field {path} of pod {name_of(pod)} has no value")
    return str(value)


def _expand(value: str, variables: dict[str, str]) -> str:
    return _REFERENCE.sub(lambda match: variables.get(match["name"], match[0]), value)
