"""The rules that an Ingress requires, in order, and the target groups that they forward to. Pure."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.kubernetes.api.objects.kinds import Object, name_of, namespace_of, value_at
from sandbox.kubernetes.load_balancer_controller.annotations import Annotations

USE_ANNOTATION = "use-annotation"
FindService = Callable[[str], Object | None]


@dataclass(frozen=True)
class Backend:
    """A port of a Service, as one Ingress refers to it."""

    namespace: str
    ingress: str
    service: str
    port: int | str

    @property
    def resource(self) -> str:
        """The value of the tag ingress.k8s.aws/resource."""
        return f"{self.namespace}/{self.ingress}-{self.service}:{self.port}"

    @property
    def group_name(self) -> str:
        return resource_name(self.namespace, self.service, self.resource)


@dataclass(frozen=True)
class Forward:
    """Forwards to target groups. Weights are relative to their sum."""

    weights: tuple[tuple[Backend, int], ...]
    stickiness_seconds: int | None = None


@dataclass(frozen=True)
class FixedResponse:
    """A response from the load balancer itself."""

    code: str
    content_type: str
    body: str


@dataclass(frozen=True)
class Redirect:
    """The fields of elbv2's RedirectConfig, as sorted pairs."""

    fields: tuple[tuple[str, str], ...]


Action = Forward | FixedResponse | Redirect
NO_BACKEND = FixedResponse("503", "text/plain", "Backend service does not exist")
NOT_FOUND = FixedResponse("404", "text/plain", "")


@dataclass(frozen=True)
class Rule:
    """host: "" for any host. paths: one of these patterns must match; empty for any path."""

    host: str
    paths: tuple[str, ...]
    action: Action


def rules_of(ingress: Object, find_service: FindService) -> list[Rule]:
    """The rules in the order of their evaluation: as in the Ingress; for one host, exact and longer paths first."""
    rules = []
    for rule in value_at(ingress, "spec.rules") or []:
        for path in sorted(value_at(rule, "http.paths") or [], key=_rank):
            action = _action(ingress, path["backend"], find_service)
            rules.append(Rule(rule.get("host", ""), _patterns(path), action))
    return rules


def default_action(ingress: Object, find_service: FindService) -> Action:
    backend = value_at(ingress, "spec.defaultBackend")
    return _action(ingress, backend, find_service) if backend else NOT_FOUND


def backends_of(actions: list[Action]) -> list[Backend]:
    """The backends that the actions forward to, without duplicates."""
    forwards = (action for action in actions if isinstance(action, Forward))
    return list(dict.fromkeys(backend for forward in forwards for backend, _ in forward.weights))


def resource_name(namespace: str, name: str, identity: str) -> str:
    """`k8s-NAMESPACE-NAME-HASH` with eight characters of each name, at most 32 in all."""
    parts = [re.sub(r"[^a-zA-Z0-9]", "", part)[:8] for part in (namespace, name)]
    return f"k8s-{parts[0]}-{parts[1]}-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def service_port(service: Object, port: int | str) -> Object | None:
    """The Service's port with that number or name."""
    ports = value_at(service, "spec.ports") or []
    return next((item for item in ports if port in (item["port"], item.get("name"))), None)


def _action(ingress: Object, backend: Object, find_service: FindService) -> Action:
    service = backend["service"]
    port = service["port"].get("number") or service["port"].get("name")
    if port == USE_ANNOTATION:
        action = Annotations(ingress).action(service["name"])
        return _annotated(ingress, action, find_service) if action else NO_BACKEND
    return _forward(ingress, [{"servicename": service["name"], "serviceport": port}], find_service)


def _annotated(ingress: Object, action: Object, find_service: FindService) -> Action:
    kind = action["type"].lower()
    if kind == "redirect":
        return Redirect(tuple(sorted(action["redirectconfig"].items())))
    if kind == "fixed-response":
        fixed = action["fixedresponseconfig"]
        return FixedResponse(fixed["statuscode"], fixed.get("contenttype", "text/plain"), fixed.get("messagebody", ""))
    single: Object = {"targetgroups": [action]}
    config = action.get("forwardconfig") or single
    sticky = config.get("targetgroupstickinessconfig") or {}
    seconds = sticky.get("durationseconds") if sticky.get("enabled") else None
    return _forward(ingress, config["targetgroups"], find_service, seconds)


def _forward(ingress: Object, groups: list[Object], find_service: FindService, sticky: int | None = None) -> Action:
    weights = []
    for group in groups:
        port = _port(group["serviceport"])
        service = find_service(group["servicename"])
        if service is None or service_port(service, port) is None:
            return NO_BACKEND
        backend = Backend(namespace_of(ingress), name_of(ingress), group["servicename"], port)
        weights.append((backend, group.get("weight", 1)))
    return Forward(tuple(weights), sticky)


def _port(port: int | str) -> int | str:
    return int(port) if str(port).isdigit() else port


def _rank(path: Object) -> tuple[bool, int]:
    return path["pathType"] != "Exact", -len(path.get("path", "/"))


def _patterns(path: Object) -> tuple[str, ...]:
    text = path.get("path", "/")
    if path["pathType"] != "Prefix":
        return (text,)
    text = text.rstrip("/")
    return (text, f"{text}/*") if text else ("/*",)
