"""The kinds that the API server knows, and the properties of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
"""A Kubernetes object as JSON."""


@dataclass(frozen=True)
class Kind:
    """One resource of the API.

    has_status: it has a /status subresource, and only writes to it change the status.
    has_generation: metadata.generation counts the changes of the desired state.
    has_scale: it has a /scale subresource for the number of its pods.
    is_custom: a CustomResourceDefinition defines it, so it supports no strategic merge patch.
    columns: what `kubectl get` prints between NAME and AGE, as (heading, path of the value), unless tables.py has it.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    has_scale: bool = False
    is_custom: bool = False
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def group_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """Plural with group, as in error messages: `rollouts.argoproj.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def prefix(self) -> str:
        """Path of its API group and version, without a leading slash."""
        return f"apis/{self.group_version}" if self.group else f"api/{self.version}"


def _core(kind: str, plural: str, *short: str, **rules: Any) -> Kind:
    return Kind("", "v1", kind, plural, short_names=short, **rules)


def _scaled(group: str, version: str, kind: str, plural: str, short: str, **rules: Any) -> Kind:
    common = {"has_status": True, "has_generation": True, "has_scale": True}
    return Kind(group, version, kind, plural, short_names=(short,), **common, **rules)


def _custom(group: str, version: str, kind: str, plural: str, *short: str, **rules: Any) -> Kind:
    return Kind(group, version, kind, plural, short_names=short, has_generation=True, is_custom=True, **rules)


_ROLLOUT_COLUMNS = (
    ("Desired", "spec.replicas"),
    ("Current", "status.replicas"),
    ("Up-to-date", "status.updatedReplicas"),
    ("Available", "status.availableReplicas"),
)
_BINDING_COLUMNS = (
    ("Service-Name", "spec.serviceRef.name"),
    ("Service-Port", "spec.serviceRef.port"),
    ("Target-Type", "spec.targetType"),
)

NAMESPACES = _core(
    "Namespace", "namespaces", "ns", namespaced=False, has_status=True, columns=(("Status", "status.phase"),)
)
PODS = _core("Pod", "pods", "po", has_status=True, has_generation=True)
SERVICES = _core("Service", "services", "svc", has_status=True)
SERVICE_ACCOUNTS = _core("ServiceAccount", "serviceaccounts", "sa")
SECRETS = _core("Secret", "secrets")
CONFIG_MAPS = _core("ConfigMap", "configmaps", "cm")
EVENTS = _core("Event", "events", "ev")
RESOURCE_QUOTAS = _core("ResourceQuota", "resourcequotas", "quota", has_status=True)
DEPLOYMENTS = _scaled("apps", "v1", "Deployment", "deployments", "deploy")
REPLICA_SETS = _scaled("apps", "v1", "ReplicaSet", "replicasets", "rs")
INGRESSES = Kind("networking.k8s.io", "v1", "Ingress", "ingresses", True, ("ing",), True, True)
INGRESS_CLASSES = Kind(
    "networking.k8s.io", "v1", "IngressClass", "ingressclasses", False, columns=(("Controller", "spec.controller"),)
)
POD_DISRUPTION_BUDGETS = Kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True, ("pdb",), True, True)
LEASES = Kind("coordination.k8s.io", "v1", "Lease", "leases", columns=(("Holder", "spec.holderIdentity"),))
CUSTOM_RESOURCE_DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False, ("crd", "crds"), True
)
ROLLOUTS = _custom(
    "argoproj.io", "v1alpha1", "Rollout", "rollouts", "ro", has_status=True, has_scale=True, columns=_ROLLOUT_COLUMNS
)
ANALYSIS_TEMPLATES = _custom("argoproj.io", "v1alpha1", "AnalysisTemplate", "analysistemplates", "at")
ANALYSIS_RUNS = _custom(
    "argoproj.io", "v1alpha1", "AnalysisRun", "analysisruns", "ar", columns=(("Status", "status.phase"),)
)
EXPERIMENTS = _custom("argoproj.io", "v1alpha1", "Experiment", "experiments", "exp")
TARGET_GROUP_BINDINGS = _custom(
    "elbv2.k8s.aws", "v1beta1", "TargetGroupBinding", "targetgroupbindings", has_status=True, columns=_BINDING_COLUMNS
)

KINDS = (
    *(NAMESPACES, PODS, SERVICES, SERVICE_ACCOUNTS, SECRETS, CONFIG_MAPS, EVENTS, RESOURCE_QUOTAS),
    *(DEPLOYMENTS, REPLICA_SETS, INGRESSES, INGRESS_CLASSES, POD_DISRUPTION_BUDGETS, LEASES),
    *(CUSTOM_RESOURCE_DEFINITIONS, ROLLOUTS, ANALYSIS_TEMPLATES, ANALYSIS_RUNS, EXPERIMENTS, TARGET_GROUP_BINDINGS),
)

_BY_PATH = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


def find_kind(group: str, version: str, plural: str) -> Kind | None:
    """The kind with that group, version and plural, or None."""
    return _BY_PATH.get((group, version, plural))


def group_versions(kinds: Iterable[Kind]) -> dict[str, list[Kind]]:
    """The kinds by group and version."""
    served: dict[str, list[Kind]] = {}
    for kind in kinds:
        served.setdefault(kind.group_version, []).append(kind)
    return served


def copy_of(value: Any) -> Any:
    """A deep copy of JSON. copy.deepcopy is several times slower, and every read of the store copies the object."""
    if isinstance(value, dict):
        return {key: copy_of(item) for key, item in value.items()}
    return [copy_of(item) for item in value] if isinstance(value, list) else value


def name_of(obj: Object) -> str:
    return obj["metadata"].get("name", "")


def namespace_of(obj: Object) -> str:
    return obj["metadata"].get("namespace", "")


def value_at(obj: Any, path: str | Iterable[str]) -> Any:
    """The value at a dotted path, or None if the object does not have that path. Digits index a list."""
    for part in path.split(".") if isinstance(path, str) else path:
        if isinstance(obj, list):
            obj = obj[int(part)] if part.isdigit() and int(part) < len(obj) else None
        else:
            obj = obj.get(part) if isinstance(obj, dict) else None
    return obj
