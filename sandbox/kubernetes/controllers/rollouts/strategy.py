"""The weight and replica counts that a Rollout requires at its current step. Does not use the API."""

import json
from collections.abc import Iterable
from math import ceil
from typing import Any

from sandbox.kubernetes.api.objects.kinds import Object, value_at

HASH_LABEL = "rollouts-pod-template-hash"
REVISION = "rollout.argoproj.io/revision"
DEFAULT_SCALE_DOWN_SECONDS = 30
FULL_WEIGHT = 100
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def canary_of(rollout: Object) -> Object:
    return value_at(rollout, "spec.strategy.canary") or {}


def routing_of(rollout: Object) -> Object | None:
    """The load balancer part of trafficRouting, None without traffic routing."""
    return value_at(canary_of(rollout), "trafficRouting.alb")


def steps_of(rollout: Object) -> list[Object]:
    return canary_of(rollout).get("steps") or []


def status_of(rollout: Object) -> Object:
    return rollout.get("status") or {}


def replicas_of(rollout: Object) -> int:
    return 1 if value_at(rollout, "spec.replicas") is None else rollout["spec"]["replicas"]


def root_service(rollout: Object) -> str:
    """The action's name in the Ingress annotation."""
    return (routing_of(rollout) or {}).get("rootService") or canary_of(rollout).get("stableService", "")


def ingress_names(rollout: Object) -> list[str]:
    routing = routing_of(rollout) or {}
    return routing.get("ingresses") or ([routing["ingress"]] if routing.get("ingress") else [])


def current_index(rollout: Object) -> int | None:
    """0-based index of the current step; the number of steps after the last one; None without steps."""
    steps = steps_of(rollout)
    return min(status_of(rollout).get("currentStepIndex") or 0, len(steps)) if steps else None


def current_step(rollout: Object) -> Object | None:
    index, steps = current_index(rollout), steps_of(rollout)
    return steps[index] if index is not None and index < len(steps) else None


def is_fully_promoted(rollout: Object) -> bool:
    status = status_of(rollout)
    return status.get("stableRS", "") == status.get("currentPodHash", "")


def weight_before(rollout: Object, index: int) -> int:
    """The weight of the last setWeight in steps 0 to `index`; 0 if they contain none."""
    weights = (step["setWeight"] for step in reversed(steps_of(rollout)[: index + 1]) if "setWeight" in step)
    return next(weights, 0)


def wanted_weight(rollout: Object) -> int:
    """The canary's weight (percent) at the current step."""
    index = current_index(rollout)
    if status_of(rollout).get("abort"):
        return 0
    return FULL_WEIGHT if index is None or current_step(rollout) is None else weight_before(rollout, index)


def wanted_canary_count(rollout: Object) -> int:
    """Replicas of the new ReplicaSet at the current step. The stable one keeps all of its replicas."""
    status, replicas = status_of(rollout), replicas_of(rollout)
    if status.get("promoteFull") or not status.get("stableRS") or is_fully_promoted(rollout):
        return replicas
    scale = _canary_scale(rollout)
    if "replicas" in scale:
        return scale["replicas"]
    count = ceil(scale.get("weight", wanted_weight(rollout)) * replicas / 100)
    least = canary_of(rollout).get("minPodsPerReplicaSet", 0)
    return max(count, min(least, replicas)) if count else 0


def _canary_scale(rollout: Object) -> Object:
    """The setCanaryScale that applies now. It applies until a step with matchTrafficWeight; {} if none applies."""
    index = current_index(rollout)
    if index is None or current_step(rollout) is None or status_of(rollout).get("abort"):
        return {}
    scales = (step["setCanaryScale"] for step in reversed(steps_of(rollout)[: index + 1]) if "setCanaryScale" in step)
    scale = next(scales, {})
    return {} if scale.get("matchTrafficWeight") else scale


def seconds_of(duration: Any) -> float:
    """A pause's duration: a number of seconds, or text such as `30s`, `10m`, `1h`."""
    units = {"s": 1, "m": 60, "h": 3600}
    text = str(duration)
    return float(text[:-1]) * units[text[-1]] if text[-1] in units else float(text)


def step_hash(rollout: Object) -> str:
    return short_hash(steps_of(rollout))


def template_hash(template: Object, collisions: int = 0) -> str:
    return short_hash(template, str(collisions) if collisions else "")


def short_hash(value: Any, *more: str) -> str:
    """FNV-1a of the JSON, in characters that cannot form words."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":")) + "".join(more)
    return "".join(_SAFE[ord(digit) % len(_SAFE)] for digit in str(_fnv32a(text.encode())))


def _fnv32a(data: Iterable[int]) -> int:
    digest = 0x811C9DC5
    for byte in data:
        digest = (digest ^ byte) * 0x01000193 % 2**32
    return digest
