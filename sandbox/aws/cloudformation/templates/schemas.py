"""The schemas that AWS publishes for resource types: required properties, and those set only at creation."""

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any


@functools.cache
def schema(resource_type: str) -> dict[str, Any] | None:
    """The registry schema of the type, from cfn-lint. None if AWS does not have the type."""
    name = _index().get(resource_type)
    return json.loads((_folder() / "resources" / f"{name}.json").read_text()) if name else None


def create_only(resource_type: str) -> tuple[tuple[str, ...], ...]:
    """Paths of properties whose change replaces the resource, such as `("BrokerNodeGroupInfo", "ClientSubnets")`."""
    paths = (schema(resource_type) or {}).get("createOnlyProperties", [])
    return tuple(tuple(path.removeprefix("/properties/").split("/")) for path in paths)


def property_error(resource_type: str, properties: dict[str, Any]) -> str | None:
    """The error of AWS for a missing required property or an unknown property. None if there is none."""
    described = schema(resource_type) or {}
    missing = [name for name in described.get("required", []) if name not in properties]
    unknown = [name for name in properties if name not in described.get("properties", {})]
    if missing:
        return f"required key [{missing[0]}] not found"
    return f"extraneous key [{unknown[0]}] is not permitted" if unknown else None


@functools.cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or spec.origin is None:
        raise RuntimeError("cfn-lint, a dependency of moto[server], is missing. Install requirements/sandbox.txt.")
    return Path(spec.origin).parent / "data" / "schemas"


@functools.cache
def _index() -> dict[str, str]:
    return json.loads((_folder() / "providers" / "us-east-1.json").read_text())
