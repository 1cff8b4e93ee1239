"""Manifests as the cluster is to hold them, and the system they describe: rollout, services, ingress, found by kind."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from delivery.errors import SettingsError

Manifest = dict[str, Any]

# Ours are the objects and fields of the manifests alone.
FIELD_MANAGER = "slipway"
VARIABLE = re.compile(r"\$\{([^}]*)\}")
HASH_LABEL = "rollouts-pod-template-hash"
DEFAULT_PREFIX = "alb.ingress.kubernetes.io"
# What others refer to comes before them: a Rollout without its Services and Ingress is invalid.
ORDER = ("Namespace", "ServiceAccount", "ConfigMap", "Secret", "Service", "Ingress", "PodDisruptionBudget")


@dataclass(frozen=True)
class CanaryStep:
    """A pause without duration, by its index among the Rollout's steps, and the canary's share of the traffic at it.

    turn: which of the pauses at this share it is; others' manifests may have several.
    """

    pause_index: int
    weight_percent: int
    turn: int = 1

    @property
    def name(self) -> str:
        """No other step of the Rollout has it."""
        return f"{self.weight_percent} %" if self.turn == 1 else f"{self.weight_percent} %, pause {self.turn}"


@dataclass(frozen=True)
class Route:
    """A host and a path that the Ingress gives to the weighted action."""

    host: str
    path: str


@dataclass(frozen=True)
class RolloutSpec:
    """What a canary moves, by the names of the manifests. action: annotation of the Ingress that holds the weights."""

    namespace: str
    rollout: str
    stable_service: str
    canary_service: str
    ingress: str
    action: str
    service_port: int
    routes: tuple[Route, ...]
    steps: tuple[CanaryStep, ...]


def parse_manifests(sources: Mapping[str, str]) -> dict[str, list[Manifest]]:
    """The documents of each file, by its name."""
    parsed = {}
    for name, text in sources.items():
        try:
            parsed[name] = [document for document in yaml.safe_load_all(text) if document]
        except yaml.YAMLError as error:
            raise SettingsError(f"{name} is not YAML: {error}. Nothing was touched.") from error
    return parsed


def render_manifests(sources: Mapping[str, str], variables: Mapping[str, str]) -> tuple[Manifest, ...]:
    """All objects of the files, in the order to apply them.

    sources: text by file name. variables: by name, the only ones a manifest may use. The data of a ConfigMap is left
    as it is: a `${DB_PASSWORD}` in there is the application's own.
    Raises SettingsError that names the file and the variable.
    """
    rendered = [
        _render(name, manifest, variables) for name, found in parse_manifests(sources).items() for manifest in found
    ]
    return tuple(sorted(rendered, key=lambda manifest: _position(manifest["kind"])))


def parse_rollout_spec(manifests: Iterable[Manifest]) -> RolloutSpec:
    """The one Rollout among the manifests with what it refers to.

    Raises SettingsError where the manifests do not describe a canary by weights that somebody else judges.
    """
    manifests = tuple(manifests)
    rollout = _only(manifests, "Rollout")
    canary = rollout["spec"]["strategy"]["canary"]
    named = _named_by(manifests, canary)
    routing = canary["trafficRouting"]["alb"]
    root = routing.get("rootService") or named["stableService"]
    action = f"{routing.get('annotationPrefix', DEFAULT_PREFIX)}/actions.{root}"
    ingress = _named(manifests, "Ingress", named["ingress"])
    _require_unwritten(ingress, action)
    return RolloutSpec(
        namespace=rollout["metadata"]["namespace"],
        rollout=rollout["metadata"]["name"],
        stable_service=named["stableService"],
        canary_service=named["canaryService"],
        ingress=named["ingress"],
        action=action,
        service_port=routing["servicePort"],
        routes=tuple(_weighted_routes(ingress, root)),
        steps=read_steps(canary.get("steps", [])),
    )


def read_steps(steps: Iterable[Mapping[str, Any]]) -> tuple[CanaryStep, ...]:
    """The pauses of a Rollout's steps with the weight set before each; SettingsError for what cannot be judged."""
    found: list[CanaryStep] = []
    weight = 0
    for index, step in enumerate(steps):
        if "setWeight" in step:
            weight = step["setWeight"]
        elif step.get("pause") == {}:
            turn = 1 + sum(before.weight_percent == weight for before in found)
            found.append(CanaryStep(index, weight, turn))
        else:
            _require(False, f"canary step {index} is {dict(step)}; here it is a setWeight or a pause without duration")
    return tuple(found)


def without_controllers_fields(manifest: Manifest, live: Mapping[str, Any] | None) -> Manifest:
    """The manifest less what the Rollout's controller owns of the live object.

    A Service's selector is one value to server-side apply: ours would take the hash out of it, and send the canary's
    share to every pod. Once the controller has adopted the Service, the selector is left to it.
    """
    adopted = ((live or {}).get("spec", {}).get("selector") or {}) if manifest["kind"] == "Service" else {}
    if HASH_LABEL not in adopted:
        return manifest
    theirs = {key: value for key, value in adopted.items() if key != HASH_LABEL}
    name = manifest["metadata"]["name"]
    _require(
        theirs == manifest["spec"]["selector"],
        f"Service {name} selects {theirs}, the manifest something else: delete the Service to change it",
    )
    return {**manifest, "spec": {key: value for key, value in manifest["spec"].items() if key != "selector"}}


def setting_variable(name: str) -> str:
    """`MSK_CONFIG` for the connection setting `msk-config`, whose name in the cluster carries a hash."""
    return name.upper().replace("-", "_")


def _render(file: str, manifest: Manifest, variables: Mapping[str, str]) -> Manifest:
    def substitute(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: substitute(item) for key, item in value.items()}
        if isinstance(value, list):
            return [substitute(item) for item in value]
        return VARIABLE.sub(lambda found: _value(file, found[1], variables), value) if isinstance(value, str) else value

    kept = {"data": manifest["data"]} if manifest.get("kind") == "ConfigMap" and "data" in manifest else {}
    return substitute({key: value for key, value in manifest.items() if key not in kept}) | kept


def _value(file: str, name: str, variables: Mapping[str, str]) -> str:
    _require(name in variables, f"{file} uses ${{{name}}}; known are {', '.join(sorted(variables))}")
    _require(variables[name] != "", f"{file} uses ${{{name}}}, which is empty")
    return variables[name]


def _position(kind: str) -> int:
    if kind == "Rollout":
        return len(ORDER) + 1
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


def _only(manifests: tuple[Manifest, ...], kind: str) -> Manifest:
    found = [manifest for manifest in manifests if manifest["kind"] == kind]
    _require(len(found) == 1, f"there must be one {kind}, there are {len(found)}")
    return found[0]


def _named(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    found = [manifest for manifest in manifests if manifest["kind"] == kind and manifest["metadata"]["name"] == name]
    _require(len(found) == 1, f"the Rollout names the {kind} {name}, which they do not hold once")
    return found[0]


def _named_by(manifests: tuple[Manifest, ...], canary: Mapping[str, Any]) -> dict[str, str]:
    """What a canary by weights cannot do without, by name: its Services, which must be there, and its Ingress."""
    routing = canary.get("trafficRouting", {}).get("alb", {})
    named = {key: canary.get(key) for key in ("stableService", "canaryService")} | {"ingress": routing.get("ingress")}
    missing = ", ".join(key for key, value in named.items() if not value)
    _require(not missing, f"the Rollout must name {missing}")
    for key in ("stableService", "canaryService"):
        _named(manifests, "Service", str(named[key]))
    return {key: str(value) for key, value in named.items()}


def _require_unwritten(ingress: Manifest, action: str) -> None:
    annotations = ingress["metadata"].get("annotations", {})
    written = [key for key in annotations if key in (action, "rollouts.argoproj.io/managed-alb-annotations")]
    _require(not written, f"Ingress {ingress['metadata']['name']} sets {written}, which would reset the traffic")


def _weighted_routes(ingress: Manifest, root: str) -> Iterator[Route]:
    for rule in ingress["spec"].get("rules", []):
        for path in rule["http"]["paths"]:
            service = path["backend"].get("service", {})
            if service.get("name") == root:
                is_weighted = service["port"].get("name") == "use-annotation"
                _require(is_weighted, f"{rule.get('host')}{path['path']} must use the port name use-annotation")
                yield Route(rule.get("host", ""), path.get("path", "/"))


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise SettingsError(f"The manifests cannot be used: {otherwise}. Nothing was touched.")
