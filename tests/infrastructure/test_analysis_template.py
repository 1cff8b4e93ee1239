"""The analysis `success-rate` of the guide. It runs in the cluster, in addition to the verdicts of the flow."""

from tests.infrastructure.manifests import ENVIRONMENT, annotation, of_kind, rollout


def test_the_analysis_can_abort_the_canary_and_cannot_promote_it() -> None:
    (metric,) = of_kind("AnalysisTemplate")["spec"]["metrics"]
    assert metric["failureCondition"].startswith("len(result[0].Values) > 0 && ")
    assert not metric.keys() & {"successCondition", "count", "consecutiveSuccessLimit"}
    assert metric["consecutiveErrorLimit"] > 1000


def test_the_rollout_sets_each_argument_of_the_analysis_that_has_no_value() -> None:
    analysis = rollout()["strategy"]["canary"]["analysis"]
    template = of_kind("AnalysisTemplate")
    assert [found["templateName"] for found in analysis["templates"]] == [template["metadata"]["name"]]
    wanted = {argument["name"] for argument in template["spec"]["args"] if "value" not in argument}
    assert wanted == {argument["name"] for argument in analysis["args"]}


def test_the_analysis_aborts_below_the_success_rate_of_the_environment() -> None:
    (metric,) = of_kind("AnalysisTemplate")["spec"]["metrics"]
    assert metric["failureCondition"].endswith(f"result[0].Values[0] < {ENVIRONMENT.canary.min_success_rate}")


def test_the_analysis_reads_the_metrics_of_the_load_balancer_of_the_ingress() -> None:
    values = {item["name"]: item.get("value") for item in of_kind("AnalysisTemplate")["spec"]["args"]}
    assert values["load-balancer"] == annotation("load-balancer-name")
