"""A pod's volumes: files below the pod's own folder, which stands for the root of its file system."""

import shutil
from pathlib import Path

from sandbox.kubernetes.api.kinds import CONFIG_MAPS, SECRETS, Object, namespace_of
from sandbox.kubernetes.api.registry import Registry
from sandbox.kubernetes.kubelet.environment import ConfigError, read_data


def mount_volumes(registry: Registry, pod: Object, root: Path) -> None:
    """Write what each container mounts to `root` and its mountPath. Raises ConfigError for what is missing."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    root.mkdir(parents=True, exist_ok=True)
    for container in pod["spec"]["containers"]:
        for mount in container.get("volumeMounts") or []:
            _mount(registry, namespace_of(pod), volumes[mount["name"]], mount, root)


def unmount_volumes(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)


def _mount(registry: Registry, namespace: str, volume: Object, mount: Object, root: Path) -> None:
    place = root / mount["mountPath"].lstrip("/")
    files = _files(registry, namespace, volume)
    if sub_path := mount.get("subPath"):
        _write(place, files.get(sub_path, b""))
        return
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        _write(place / name, content)


def _files(registry: Registry, namespace: str, volume: Object) -> dict[str, bytes]:
    """Relative path and content of each file in the volume; none for an emptyDir."""
    for field, key, kind in (("configMap", "name", CONFIG_MAPS), ("secret", "secretName", SECRETS)):
        if field in volume:
            source = volume[field]
            try:
                return _choose(read_data(registry, kind, namespace, source[key]), source)
            except ConfigError as error:
                if source.get("optional"):
                    return {}
                raise ConfigError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error
    if "emptyDir" in volume:
        return {}
    raise ConfigError(f'volume "{volume["name"]}": {sorted(volume)} is not a volume this kubelet knows')


def _choose(data: dict[str, bytes], source: Object) -> dict[str, bytes]:
    items = source.get("items")
    if items is None:
        return data
    missing = [item["key"] for item in items if item["key"] not in data]
    if missing:
        raise ConfigError(f"references non-existent config key: {missing[0]}")
    return {item["path"]: data[item["key"]] for item in items}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
