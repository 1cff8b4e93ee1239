"""Validation of a Rollout's spec by its controller. With an invalid spec the controller only sets InvalidSpec."""

from collections.abc import Iterator

from sandbox.kubernetes.api.objects.kinds import (
    ANALYSIS_TEMPLATES,
    INGRESSES,
    SERVICES,
    Object,
    name_of,
    namespace_of,
    value_at,
)
from sandbox.kubernetes.api.objects.selectors import matches_selector
from sandbox.kubernetes.api.storage.registry import Registry
from sandbox.kubernetes.controllers.rollouts.analysis import unresolved_argument
from sandbox.kubernetes.controllers.rollouts.services import MANAGED_BY
from sandbox.kubernetes.controllers.rollouts.strategy import (
    HASH_LABEL,
    canary_of,
    ingress_names,
    root_service,
    routing_of,
    steps_of,
)

STEPS = {"setWeight", "pause", "setCanaryScale"}


def find_problem(registry: Registry, rollout: Object) -> str | None:
    """The first problem of the spec or of the objects that it refers to; None for a valid spec."""
    problem = next(_spec_problems(rollout), None) or next(_reference_problems(registry, rollout), None)
    return f'The Rollout "{name_of(rollout)}" is invalid: {problem}' if problem else None


def _spec_problems(rollout: Object) -> Iterator[str]:
    spec, canary = rollout["spec"], canary_of(rollout)
    template = spec.get("template") or {}
    if not spec.get("selector") or not value_at(template, "spec.containers"):
        yield "spec.selector, spec.template.spec.containers: Required value"
        return
    if not matches_selector(spec["selector"], value_at(template, "metadata.labels") or {}):
        yield "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`"
    if "canary" not in (spec.get("strategy") or {}):
        yield "spec.strategy.strategy: Required value: Rollout has missing field '.spec.strategy.canary'"
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        yield "spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds"
    yield from _routing_problems(rollout) if canary.get("trafficRouting") else _plain_problems(canary)
    for index, step in enumerate(steps_of(rollout)):
        yield from _step_problems(f"spec.strategy.canary.steps[{index}]", step)


def _routing_problems(rollout: Object) -> Iterator[str]:
    canary, routing = canary_of(rollout), routing_of(rollout)
    where = "spec.strategy.canary"
    if routing is None:
        yield f"{where}.trafficRouting: the sandbox supports only alb"
        return
    if not canary.get("stableService") or not canary.get("canaryService"):
        yield f"{where}.stableService, {where}.canaryService: Required value with traffic routing"
    elif canary["stableService"] == canary["canaryService"]:
        yield f"{where}.stableService: Invalid value: stableService and canaryService must differ"
    if "servicePort" not in routing:
        yield f"{where}.trafficRouting.alb.servicePort: Required value"
    if bool(routing.get("ingress")) is bool(routing.get("ingresses")):
        yield f"{where}.trafficRouting.alb: Invalid value: exactly one of ingress and ingresses must be set"
    if "maxTrafficWeight" in canary["trafficRouting"]:
        yield f"{where}.trafficRouting.maxTrafficWeight: Invalid value: not supported for alb"


def _plain_problems(canary: Object) -> Iterator[str]:
    if "scaleDownDelaySeconds" in canary:
        value = canary["scaleDownDelaySeconds"]
        why = "Canary scaleDownDelaySeconds can only be used with traffic routing"
        yield f"spec.strategy.scaleDownDelaySeconds: Invalid value: {value}: {why}"
    for field in ("dynamicStableScale", "minPodsPerReplicaSet"):
        if canary.get(field):
            yield f"spec.strategy.canary.{field}: Invalid value: can only be used with traffic routing"


def _step_problems(where: str, step: Object) -> Iterator[str]:
    if len(step) != 1:
        yield f"{where}: Invalid value: step must have one of {sorted(STEPS)}"
    elif not step.keys() <= STEPS:
        yield f"{where}: the sandbox does not support the step {sorted(step)}"
    elif not 0 <= step.get("setWeight", 0) <= 100:
        yield f"{where}.setWeight: Invalid value: {step['setWeight']}: must be between 0 and 100"


def _reference_problems(registry: Registry, rollout: Object) -> Iterator[str]:
    namespace, canary = namespace_of(rollout), canary_of(rollout)
    for field in ("stableService", "canaryService"):
        if name := canary.get(field):
            yield from _service_problems(registry, rollout, f"spec.strategy.canary.{field}", name)
    for name in ingress_names(rollout):
        yield from _ingress_problems(registry, rollout, name)
    for template in value_at(canary, "analysis.templates") or []:
        name = template["templateName"]
        where = "spec.strategy.canary.analysis.templates"
        found = registry.find(ANALYSIS_TEMPLATES, namespace, name)
        if found is None:
            yield f"{where}: Invalid value: \"{name}\": AnalysisTemplate '{name}' not found"
        elif (argument := unresolved_argument(rollout, found)) is not None:
            why = f"AnalysisTemplate {name} has invalid arguments: args.{argument} was not resolved"
            yield f'{where}: Invalid value: "{name}": {why}'


def _service_problems(registry: Registry, rollout: Object, where: str, name: str) -> Iterator[str]:
    service = registry.find(SERVICES, namespace_of(rollout), name)
    if service is None:
        yield f'{where}: Invalid value: "{name}": service "{name}" not found'
        return
    owner = (service["metadata"].get("annotations") or {}).get(MANAGED_BY, name_of(rollout))
    if owner != name_of(rollout):
        yield f'{where}: Invalid value: "{name}": Service "{name}" is managed by another Rollout: {owner}'
    labels = value_at(rollout, "spec.template.metadata.labels") or {}
    for key, value in (value_at(service, "spec.selector") or {}).items():
        if key != HASH_LABEL and labels.get(key) != value:
            why = f'Service "{name}" has unmatch label "{key}" in rollout'
            yield f'{where}: Invalid value: "{name}": {why}'


def _ingress_problems(registry: Registry, rollout: Object, name: str) -> Iterator[str]:
    where = "spec.strategy.canary.trafficRouting.alb.ingress"
    ingress = registry.find(INGRESSES, namespace_of(rollout), name)
    if ingress is None:
        yield f'{where}: Invalid value: "{name}": ingress.networking.k8s.io "{name}" not found'
        return
    paths = [path for rule in value_at(ingress, "spec.rules") or [] for path in value_at(rule, "http.paths") or []]
    if root_service(rollout) not in [value_at(path, "backend.service.name") for path in paths]:
        why = f"ingress `{name}` has no rules using service {root_service(rollout)} backend"
        yield f'{where}: Invalid value: "{name}": {why}'
