"""What stands in two reviewed files, because neither can read the other."""

from typing import Any

import yaml

from delivery.application import variables_of
from delivery.manifests import render_manifests
from tests.environments import CHECKOUT, production

MANIFESTS = CHECKOUT / "infrastructure" / "k8s" / "production"


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((MANIFESTS / name).read_text())


def test_the_analysis_in_the_cluster_aborts_below_the_success_rate_of_the_environment() -> None:
    environment = production(CHECKOUT)
    sources = {path.name: path.read_text() for path in MANIFESTS.glob("*.yaml")}
    names = {name: name for name in ("msk-config", "rds-config", "redis-config", "genai-demo-config")}
    with_certificate = environment.application.model_copy(update={"certificate_arn": "arn:aws:acm:::certificate/c"})
    environment = environment.model_copy(update={"application": with_certificate})
    manifests = render_manifests(sources, variables_of(environment, "sha256:aa", names))
    (template,) = (manifest for manifest in manifests if manifest["kind"] == "AnalysisTemplate")
    (metric,) = template["spec"]["metrics"]
    assert metric["failureCondition"].endswith(f"result[0].Values[0] < {environment.canary.min_success_rate}")


def test_the_analysis_in_the_cluster_looks_at_the_load_balancer_of_the_ingress() -> None:
    values = {item["name"]: item.get("value") for item in read("analysis-template.yaml")["spec"]["args"]}
    annotations = read("ingress.yaml")["metadata"]["annotations"]
    assert values["load-balancer"] == annotations["alb.ingress.kubernetes.io/load-balancer-name"]
