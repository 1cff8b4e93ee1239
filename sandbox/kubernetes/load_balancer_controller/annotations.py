"""Annotations of an Ingress: the controller's settings, and the actions that paths refer to."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object

PREFIX = "alb.ingress.kubernetes.io/"


class Annotations:
    """Reads the settings of one Ingress. Raises ValueError for a value that cannot be parsed."""

    def __init__(self, ingress: Object) -> None:
        self._values: Mapping[str, str] = ingress["metadata"].get("annotations") or {}

    def text(self, name: str, default: str = "") -> str:
        return self._values.get(PREFIX + name, default)

    def items(self, name: str) -> list[str]:
        """The parts of a comma-separated value."""
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def pairs(self, name: str) -> dict[str, str]:
        """A value such as `a=1,b=2`."""
        return dict(part.split("=", 1) for part in self.items(name))

    def listen_ports(self) -> list[tuple[str, int]]:
        """Protocol and port of each listener; by default HTTPS if there is a certificate, otherwise HTTP."""
        default = '[{"HTTPS": 443}]' if self.text("certificate-arn") else '[{"HTTP": 80}]'
        ports = json.loads(self.text("listen-ports", default))
        return [(protocol, port) for entry in ports for protocol, port in entry.items()]

    def action(self, name: str) -> Object | None:
        """The action of that name with all its keys in lower case; None if it does not exist."""
        text = self.text(f"actions.{name}")
        return _lower_keys(json.loads(text)) if text else None


def _lower_keys(value: Any) -> Any:
    """Go ignores the case of JSON keys, and other controllers rely on this."""
    if isinstance(value, dict):
        return {key.lower(): _lower_keys(item) for key, item in value.items()}
    return [_lower_keys(item) for item in value] if isinstance(value, list) else value
