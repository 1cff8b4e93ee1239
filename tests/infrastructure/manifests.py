"""The manifests of production as a release renders them."""

from typing import Any

from delivery.application.planning import variables_of
from delivery.rollout.manifests import Manifest, render_manifests
from tests.environments import CHECKOUT, production

MANIFESTS = CHECKOUT / "infrastructure" / "k8s" / "production"
ENVIRONMENT = production(CHECKOUT)
SETTINGS = ("msk-config", "rds-config", "redis-config", "genai-demo-config")
ALB = "alb.ingress.kubernetes.io"


def rendered() -> tuple[Manifest, ...]:
    sources = {path.name: path.read_text() for path in MANIFESTS.glob("*.yaml")}
    return render_manifests(sources, variables_of(ENVIRONMENT, "sha256:aa", {name: name for name in SETTINGS}))


def of_kind(kind: str) -> Manifest:
    return next(manifest for manifest in rendered() if manifest["kind"] == kind)


def rollout() -> dict[str, Any]:
    return of_kind("Rollout")["spec"]


def pod() -> dict[str, Any]:
    return rollout()["template"]["spec"]


def container() -> dict[str, Any]:
    (found,) = pod()["containers"]
    return found


def annotation(name: str) -> str:
    return of_kind("Ingress")["metadata"]["annotations"][f"{ALB}/{name}"]


def timing(probe: str) -> list[int | None]:
    keys = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
    return [container()[probe].get(key) for key in keys]
