"""What stands in two reviewed files, because neither can read the other."""

from typing import Any

import yaml

from tests.environments import CHECKOUT, production

MANIFESTS = CHECKOUT / "infrastructure" / "k8s" / "production"


def read(name: str) -> dict[str, Any]:
    return yaml.safe_load((MANIFESTS / name).read_text())


def test_the_analysis_in_the_cluster_aborts_below_the_success_rate_of_the_environment() -> None:
    (metric,) = read("analysis-template.yaml")["spec"]["metrics"]
    wanted = production(CHECKOUT).canary.min_success_rate
    assert metric["failureCondition"].endswith(f"result[0].Values[0] < {wanted}")


def test_the_analysis_in_the_cluster_looks_at_the_load_balancer_of_the_ingress() -> None:
    values = {item["name"]: item.get("value") for item in read("analysis-template.yaml")["spec"]["args"]}
    annotations = read("ingress.yaml")["metadata"]["annotations"]
    assert values["load-balancer"] == annotations["alb.ingress.kubernetes.io/load-balancer-name"]
