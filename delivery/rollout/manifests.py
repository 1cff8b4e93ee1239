"""The manifests of the application, rendered for the cluster, and the Rollout that they describe."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from delivery.errors import SettingsError

Manifest = dict[str, Any]

# The field manager of server-side apply. It owns only the fields of the manifests.
FIELD_MANAGER = "slipway"
VARIABLE = re.compile(r"\$\{([^}]*)\}")
HASH_LABEL = "rollouts-pod-template-hash"
DEFAULT_PREFIX = "alb.ingress.kubernetes.io"
# The order to apply kinds in. An object comes after those that it refers to: a Rollout without its Services is invalid.
KINDS_IN_ORDER = ("Namespace", "ServiceAccount", "ConfigMap", "Secret", "Service", "Ingress", "PodDisruptionBudget")


@dataclass(frozen=True)
class CanaryStep:
    """A pause without a duration, and the canary's weight during it.

    pause_index: of the pause in the steps of the Rollout. pause_number: 1 for the first pause at this weight. The guide
    has one pause at each weight; other manifests can have several.
    """

    pause_index: int
    weight_percent: int
    pause_number: int = 1

    @property
    def name(self) -> str:
        """Unique among the canary steps of the Rollout."""
        weight = f"{self.weight_percent} %"
        return weight if self.pause_number == 1 else f"{weight}, pause {self.pause_number}"


@dataclass(frozen=True)
class Route:
    """A host and a path for which the Ingress uses the weighted action."""

    host: str
    path: str


@dataclass(frozen=True)
class RolloutSpec:
    """The names of the objects that a canary uses. action: the annotation of the Ingress that contains the weights."""

    namespace: str
    rollout: str
    stable_service: str
    canary_service: str
    ingress: str
    action: str
    routes: tuple[Route, ...]
    steps: tuple[CanaryStep, ...]


def parse_manifests(sources: Mapping[str, str]) -> dict[str, list[Manifest]]:
    """File name -> the objects in the file. sources: file name -> text."""
    parsed = {}
    for name, text in sources.items():
        try:
            parsed[name] = [document for document in yaml.safe_load_all(text) if document]
        except yaml.YAMLError as error:
            raise SettingsError(f"{name} is not valid YAML: {error}. Nothing was changed.") from error
    return parsed


def render_manifests(sources: Mapping[str, str], variables: Mapping[str, str]) -> tuple[Manifest, ...]:
    """All objects of the files, in the order to apply them.

    sources: file name -> text. variables: name -> value; a manifest can use no other variables. The data of a ConfigMap
    is not rendered, because a `${DB_PASSWORD}` in it is a variable of the application.
    Raises SettingsError that names the file and the variable.
    """
    rendered = [
        _render(name, manifest, variables)
        for name, manifests in parse_manifests(sources).items()
        for manifest in manifests
    ]
    return tuple(sorted(rendered, key=lambda manifest: _position(manifest["kind"])))


def parse_rollout_spec(manifests: Iterable[Manifest]) -> RolloutSpec:
    """The only Rollout in the manifests, and the objects that it refers to.

    Raises SettingsError if the manifests do not describe a canary with weights and with pauses that have no duration.
    """
    manifests = tuple(manifests)
    rollout = _find_only(manifests, "Rollout")
    canary = rollout["spec"]["strategy"]["canary"]
    names = _find_names(manifests, canary)
    routing = canary["trafficRouting"]["alb"]
    root = routing.get("rootService") or names["stableService"]
    action = f"{routing.get('annotationPrefix', DEFAULT_PREFIX)}/actions.{root}"
    ingress = _find(manifests, "Ingress", names["ingress"])
    _require_no_weights(ingress, action)
    return RolloutSpec(
        namespace=rollout["metadata"]["namespace"],
        rollout=rollout["metadata"]["name"],
        stable_service=names["stableService"],
        canary_service=names["canaryService"],
        ingress=names["ingress"],
        action=action,
        routes=tuple(_find_weighted_routes(ingress, root)),
        steps=read_steps(canary.get("steps", [])),
    )


def read_steps(steps: Iterable[Mapping[str, Any]]) -> tuple[CanaryStep, ...]:
    """The pauses in the steps of a Rollout, each with its weight. Raises SettingsError for a step of another type."""
    canary_steps: list[CanaryStep] = []
    weight = 0
    for index, step in enumerate(steps):
        if "setWeight" in step:
            weight = step["setWeight"]
        elif step.get("pause") == {}:
            pause_number = 1 + sum(earlier.weight_percent == weight for earlier in canary_steps)
            canary_steps.append(CanaryStep(index, weight, pause_number))
        else:
            allowed = "only setWeight and pauses without a duration are allowed"
            _require(False, f"canary step {index} is {dict(step)}, but {allowed}")
    return tuple(canary_steps)


def without_controllers_fields(manifest: Manifest, live: Mapping[str, Any] | None) -> Manifest:
    """The manifest without the fields of the live object that the Rollouts controller owns.

    The controller adds the pod-template hash to the selector of a Service. For server-side apply, a selector is one
    value: the one of the manifest would remove the hash, and the canary's requests would go to all pods.
    """
    selector = ((live or {}).get("spec", {}).get("selector") or {}) if manifest["kind"] == "Service" else {}
    if HASH_LABEL not in selector:
        return manifest
    without_hash = {key: value for key, value in selector.items() if key != HASH_LABEL}
    name, wanted = manifest["metadata"]["name"], manifest["spec"]["selector"]
    differs = f"Service {name} selects {without_hash}, and its manifest selects {wanted}"
    _require(without_hash == wanted, f"{differs}; to change the selector, delete the Service")
    return {**manifest, "spec": {key: value for key, value in manifest["spec"].items() if key != "selector"}}


def setting_variable(name: str) -> str:
    """`MSK_CONFIG` for the connection setting `msk-config`. Its value is the name in the cluster, with the hash."""
    return name.upper().replace("-", "_")


def _render(file: str, manifest: Manifest, variables: Mapping[str, str]) -> Manifest:
    def substitute(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: substitute(item) for key, item in value.items()}
        if isinstance(value, list):
            return [substitute(item) for item in value]
        return (
            VARIABLE.sub(lambda match: _read_variable(file, match[1], variables), value)
            if isinstance(value, str)
            else value
        )

    kept = {"data": manifest["data"]} if manifest.get("kind") == "ConfigMap" and "data" in manifest else {}
    return substitute({key: value for key, value in manifest.items() if key not in kept}) | kept


def _read_variable(file: str, name: str, variables: Mapping[str, str]) -> str:
    _require(name in variables, f"{file} uses ${{{name}}}; the known variables are {', '.join(sorted(variables))}")
    _require(variables[name] != "", f"{file} uses ${{{name}}}, which is empty")
    return variables[name]


def _position(kind: str) -> int:
    if kind == "Rollout":
        return len(KINDS_IN_ORDER) + 1
    return KINDS_IN_ORDER.index(kind) if kind in KINDS_IN_ORDER else len(KINDS_IN_ORDER)


def _find_only(manifests: tuple[Manifest, ...], kind: str) -> Manifest:
    of_kind = [manifest for manifest in manifests if manifest["kind"] == kind]
    _require(len(of_kind) == 1, f"they must define one {kind}, and they define {len(of_kind)}")
    return of_kind[0]


def _find(manifests: tuple[Manifest, ...], kind: str, name: str) -> Manifest:
    matching = [found for found in manifests if found["kind"] == kind and found["metadata"]["name"] == name]
    _require(len(matching) == 1, f"the Rollout refers to {kind} {name}, which they define {len(matching)} times")
    return matching[0]


def _find_names(manifests: tuple[Manifest, ...], canary: Mapping[str, Any]) -> dict[str, str]:
    """The names of the objects that a canary with weights needs: both Services, which must exist, and the Ingress."""
    routing = canary.get("trafficRouting", {}).get("alb", {})
    names = {key: canary.get(key) for key in ("stableService", "canaryService")} | {"ingress": routing.get("ingress")}
    missing = ", ".join(key for key, value in names.items() if not value)
    _require(not missing, f"the Rollout must set {missing}")
    for key in ("stableService", "canaryService"):
        _find(manifests, "Service", str(names[key]))
    return {key: str(value) for key, value in names.items()}


def _require_no_weights(ingress: Manifest, action: str) -> None:
    annotations = ingress["metadata"].get("annotations", {})
    written = [key for key in annotations if key in (action, "rollouts.argoproj.io/managed-alb-annotations")]
    name = ingress["metadata"]["name"]
    _require(not written, f"Ingress {name} sets {', '.join(written)}, which would reset the traffic")


def _find_weighted_routes(ingress: Manifest, root: str) -> Iterator[Route]:
    for rule in ingress["spec"].get("rules", []):
        for path in rule["http"]["paths"]:
            service = path["backend"].get("service", {})
            if service.get("name") == root:
                is_weighted = service["port"].get("name") == "use-annotation"
                _require(is_weighted, f"{rule.get('host')}{path['path']} must use the port name use-annotation")
                yield Route(rule.get("host", ""), path.get("path", "/"))


def _require(condition: object, reason: str) -> None:
    if not condition:
        raise SettingsError(f"The manifests cannot be used: {reason}. Nothing was changed.")
