"""What AWS publishes about each resource type: which properties are required, and which can only be set at creation."""

import functools
import importlib.util
import json
from pathlib import Path
from typing import Any


@functools.cache
def schema(resource_type: str) -> dict[str, Any] | None:
    """The type's registry schema as cfn-lint carries it, or None for a type AWS does not have."""
    name = _index().get(resource_type)
    return json.loads((_folder() / "resources" / f"{name}.json").read_text()) if name else None


def create_only(resource_type: str) -> tuple[tuple[str, ...], ...]:
    """Paths of properties whose change replaces the resource, such as `("BrokerNodeGroupInfo", "ClientSubnets")`."""
    paths = (schema(resource_type) or {}).get("createOnlyProperties", [])
    return tuple(tuple(path.removeprefix("/properties/").split("/")) for path in paths)


def complaint(resource_type: str, properties: dict[str, Any]) -> str | None:
    """What AWS says of properties that the type requires and has not, or does not know; None when all is well."""
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
        raise RuntimeError("cfn-lint, which comes with moto[server], is not installed: install the sandbox's packages")
    return Path(spec.origin).parent / "data" / "schemas"


@functools.cache
def _index() -> dict[str, str]:
    return json.loads((_folder() / "providers" / "us-east-1.json").read_text())
