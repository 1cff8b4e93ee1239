"""A pod's volumes: files in the pod's folder, which is the root of its file system."""

import shutil
from pathlib import Path

from sandbox.kubernetes.api.objects.kinds import CONFIG_MAPS, SECRETS, Object, namespace_of
from sandbox.kubernetes.api.storage.registry import Registry
from sandbox.kubernetes.kubelet.environment import ConfigError, read_data


def mount_volumes(registry: Registry, pod: Object, root: Path) -> None:
    """Write the files of each volume mount below `root` at its mountPath. Raises ConfigError if a source is missing."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    root.mkdir(parents=True, exist_ok=True)
    for container in pod["spec"]["containers"]:
        for mount in container.get("volumeMounts") or []:
            _mount(registry, namespace_of(pod), volumes[mount["name"]], mount, root)


def unmount_volumes(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)


def _mount(registry: Registry, namespace: str, volume: Object, mount: Object, root: Path) -> None:
    target = root / mount["mountPath"].lstrip("/")
    files = _files(registry, namespace, volume)
    if sub_path := mount.get("subPath"):
        _write(target, files.get(sub_path, b""))
        return
    target.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        _write(target / name, content)


def _files(registry: Registry, namespace: str, volume: Object) -> dict[str, bytes]:
    """Relative path and content of each file in the volume; no files for an emptyDir."""
    for field, key, kind in (("configMap", "name", CONFIG_MAPS), ("secret", "secretName", SECRETS)):
        if field in volume:
            source = volume[field]
            try:
                return _select_items(read_data(registry, kind, namespace, source[key]), source)
            except ConfigError as error:
                if source.get("optional"):
                    return {}
                raise ConfigError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error
    if "emptyDir" in volume:
        return {}
    raise ConfigError(f'volume "{volume["name"]}": the sandbox does not support {sorted(volume)}')


def _select_items(data: dict[str, bytes], source: Object) -> dict[str, bytes]:
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
