from pathlib import Path

import pytest
import yaml

from delivery.errors import SettingsError
from delivery.rollout.manifests import (
    CanaryStep,
    Route,
    parse_rollout_spec,
    read_steps,
    render_manifests,
    without_controllers_fields,
)

PRODUCTION = Path(__file__).parents[3] / "infrastructure/k8s/production"
VARIABLES = {
    "PROJECT": "genai-demo",
    "ENVIRONMENT": "production",
    "IMAGE": "registry/backend@sha256:aa",
    "SSL_CERTIFICATE_ARN": "arn:aws:acm:us-east-1:123456789012:certificate/c",
    "MIN_SUCCESS_RATE": "0.95",
    "MSK_CONFIG": "msk-config-1",
    "RDS_CONFIG": "rds-config-2",
    "REDIS_CONFIG": "redis-config-3",
    "GENAI_DEMO_CONFIG": "genai-demo-config-4",
}


def sources() -> dict[str, str]:
    return {path.name: path.read_text() for path in PRODUCTION.glob("*.yaml")}


def production() -> tuple[dict, ...]:
    return render_manifests(sources(), VARIABLES)


def of_kind(kind: str) -> dict:
    return next(manifest for manifest in production() if manifest["kind"] == kind)


def other_system(**alb: object) -> list[dict]:
    """Another application, with its own names."""
    backend = {"service": {"name": "shop-root", "port": {"name": "use-annotation"}}}
    routing = {"ingress": "public", "rootService": "shop-root", "servicePort": 8000, **alb}
    canary = {
        "stableService": "shop-a",
        "canaryService": "shop-b",
        "trafficRouting": {"alb": routing},
        "steps": [step for weight in (10, 25, 50, 75) for step in ({"setWeight": weight}, {"pause": {}})],
    }
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return [
        {"kind": "Rollout", "metadata": {"name": "shop", "namespace": "s"}, "spec": {"strategy": {"canary": canary}}},
        {"kind": "Service", "metadata": {"name": "shop-a"}},
        {"kind": "Service", "metadata": {"name": "shop-b"}},
        {
            "kind": "Ingress",
            "metadata": {"name": "public"},
            "spec": {"rules": [{"host": "h", "http": {"paths": [path]}}]},
        },
    ]


def test_the_rollout_comes_after_the_objects_that_it_refers_to() -> None:
    kinds = [manifest["kind"] for manifest in production()]
    assert kinds[0] == "Namespace"
    assert kinds[-1] == "Rollout"


def test_no_variable_is_left_in_a_rendered_manifest() -> None:
    assert "${" not in yaml.safe_dump_all(production())


def test_an_unknown_variable_is_named_with_its_file() -> None:
    with pytest.raises(SettingsError, match=r"rollout.yaml uses \$\{IMAGE\}"):
        render_manifests(sources(), {name: value for name, value in VARIABLES.items() if name != "IMAGE"})


def test_an_empty_variable_is_an_error() -> None:
    with pytest.raises(SettingsError, match=r"ingress.yaml uses \$\{SSL_CERTIFICATE_ARN\}, which is empty"):
        render_manifests(sources(), VARIABLES | {"SSL_CERTIFICATE_ARN": ""})


def test_the_placeholders_of_the_application_are_not_rendered() -> None:
    text = "kind: ConfigMap\nmetadata: {name: c}\ndata:\n  application.yml: 'password: ${DB_PASSWORD}'\n"
    (rendered,) = render_manifests({"configmap.yaml": text}, {})
    assert rendered["data"] == {"application.yml": "password: ${DB_PASSWORD}"}


def test_a_value_cannot_become_yaml() -> None:
    text = "kind: Rollout\nmetadata: {name: '${IMAGE}'}\n"
    (rendered,) = render_manifests({"r.yaml": text}, {"IMAGE": "x}\nkind: Secret"})
    assert rendered == {"kind": "Rollout", "metadata": {"name": "x}\nkind: Secret"}}


def test_the_names_are_read_from_the_manifests() -> None:
    rollout_spec = parse_rollout_spec(production())
    assert (rollout_spec.rollout, rollout_spec.namespace) == ("genai-demo-backend", "genai-demo-production")
    assert rollout_spec.action == "alb.ingress.kubernetes.io/actions.genai-demo-backend"
    assert Route("www.genai-demo.com", "/ws") in rollout_spec.routes
    assert [step.weight_percent for step in rollout_spec.steps] == [20, 40, 60, 80]


def test_another_system_has_its_own_names_and_steps() -> None:
    rollout_spec = parse_rollout_spec(other_system())
    assert (rollout_spec.stable_service, rollout_spec.canary_service, rollout_spec.ingress) == (
        "shop-a",
        "shop-b",
        "public",
    )
    assert rollout_spec.steps == (CanaryStep(1, 10), CanaryStep(3, 25), CanaryStep(5, 50), CanaryStep(7, 75))
    assert rollout_spec.routes == (Route("h", "/"),)


def test_a_rollout_without_its_ingress_is_refused() -> None:
    with pytest.raises(SettingsError, match="refers to Ingress gone, which they define 0 times"):
        parse_rollout_spec(other_system(ingress="gone"))


def test_a_manifest_that_sets_the_weights_is_refused() -> None:
    manifests = other_system()
    manifests[3]["metadata"]["annotations"] = {"alb.ingress.kubernetes.io/actions.shop-root": "{}"}
    with pytest.raises(SettingsError, match="which would reset the traffic"):
        parse_rollout_spec(manifests)


def test_a_route_without_the_weighted_action_is_refused() -> None:
    manifests = other_system()
    manifests[3]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"] = {"number": 80}
    with pytest.raises(SettingsError, match="must use the port name use-annotation"):
        parse_rollout_spec(manifests)


@pytest.mark.parametrize("step", [{"pause": {"duration": "10m"}}, {"analysis": {}}])
def test_a_step_that_is_not_a_weight_or_a_pause_without_a_duration_is_refused(step) -> None:
    with pytest.raises(SettingsError, match="canary step 1 is"):
        read_steps([{"setWeight": 20}, step])


def test_pauses_at_the_same_weight_have_different_names() -> None:
    rollout, *others = other_system()
    weights = (20, 20, 50, 20)
    steps = [step for weight in weights for step in ({"setWeight": weight}, {"pause": {}})]
    rollout["spec"]["strategy"]["canary"]["steps"] = steps
    canary_steps = parse_rollout_spec([rollout, *others]).steps
    assert [step.name for step in canary_steps] == ["20 %", "20 %, pause 2", "50 %", "20 %, pause 3"]
    assert [step.weight_percent for step in canary_steps] == list(weights)


def test_the_selector_of_a_service_with_a_hash_is_left_to_the_controller() -> None:
    service = of_kind("Service")
    adopted = {"spec": {"selector": {"app": "genai-demo-backend", "rollouts-pod-template-hash": "66d4"}}}
    assert "selector" not in without_controllers_fields(service, adopted)["spec"]
    assert without_controllers_fields(service, None) == service


def test_the_selector_of_a_service_with_a_hash_cannot_be_changed() -> None:
    adopted = {"spec": {"selector": {"app": "another", "rollouts-pod-template-hash": "66d4"}}}
    with pytest.raises(SettingsError, match="to change the selector, delete the Service"):
        without_controllers_fields(of_kind("Service"), adopted)
