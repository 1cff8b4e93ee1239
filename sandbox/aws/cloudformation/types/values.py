"""Converts values of templates to the form that the services expect."""

from typing import Any


def flag(value: Any) -> bool:
    """A boolean, which a template may write as text."""
    return str(value).lower() == "true"


def numbers(properties: dict[str, Any], *names: str) -> dict[str, int]:
    return {name: int(properties[name]) for name in names if name in properties}


def flags(properties: dict[str, Any], *names: str) -> dict[str, bool]:
    return {name: flag(properties[name]) for name in names if name in properties}


def picked(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}


def camel(value: Any) -> Any:
    """Convert all keys, at each level, from PascalCase to camelCase."""
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: camel(item) for key, item in value.items()}
    return [camel(item) for item in value] if isinstance(value, list) else value


def tag_list(properties: dict[str, Any]) -> list[dict[str, str]]:
    """Tags as a list of Key and Value. The property may be a list or an object."""
    tags = properties.get("Tags") or []
    if isinstance(tags, dict):
        return [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags]


def tag_map(properties: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tag_list(properties)}
