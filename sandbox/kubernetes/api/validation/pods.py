"""Validation of the spec of a pod or of a pod template."""

from collections.abc import Iterator

from sandbox.kubernetes.api.objects.errors import Problem
from sandbox.kubernetes.api.objects.kinds import Object


def pod_problems(spec: Object, path: str) -> Iterator[Problem]:
    """path: of the spec."""
    containers = spec.get("containers") or []
    if not containers:
        yield f"{path}.containers", "Required value"
    volumes = {volume.get("name") for volume in spec.get("volumes") or []}
    for field in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(field) or []):
            yield from _container_problems(container, f"{path}.{field}[{index}]", volumes)


def _container_problems(container: Object, path: str, volumes: set[str]) -> Iterator[Problem]:
    for field in ("name", "image"):
        if not container.get(field):
            yield f"{path}.{field}", "Required value"
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            yield f"{path}.volumeMounts[{index}].name", f'Not found: "{mount.get("name")}"'
