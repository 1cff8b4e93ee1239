"""The manifests of production: the values of the guide, additions to the guide, and agreement with other files."""

import yaml

from tests.infrastructure.manifests import (
    ENVIRONMENT,
    MANIFESTS,
    annotation,
    container,
    of_kind,
    pod,
    rendered,
    rollout,
    timing,
)


def test_the_numbers_are_those_of_the_guide() -> None:
    assert rollout()["replicas"] == 3
    assert container()["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "500m"},
        "limits": {"memory": "2Gi", "cpu": "1000m"},
    }
    assert timing("livenessProbe") == [60, 30, 10, 3]
    assert timing("readinessProbe") == [30, 10, 5, 3]
    canary = rollout()["strategy"]["canary"]
    assert (canary["scaleDownDelaySeconds"], canary["abortScaleDownDelaySeconds"]) == (30, 30)
    assert [step["setWeight"] for step in canary["steps"][::2]] == [20, 40, 60, 80]


def test_profile_port_and_folders_are_those_of_the_guide() -> None:
    assert {"name": "SPRING_PROFILES_ACTIVE", "value": "msk"} in container()["env"]
    assert container()["ports"] == [{"containerPort": 8080, "name": "http"}]
    folders = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    assert (folders["config"], folders["logs"]) == ("/app/config", "/app/logs")
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    assert volumes["config"]["configMap"] == {"name": "genai-demo-config"}
    assert volumes["logs"]["emptyDir"] == {}


def test_labels_and_annotations_are_those_of_the_guide() -> None:
    metadata = rollout()["template"]["metadata"]
    assert metadata["labels"] == {"app": "genai-demo-backend", "version": "v1"}
    assert metadata["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
        "prometheus.io/path": "/actuator/prometheus",
    }
    assert of_kind("Rollout")["metadata"]["labels"] == metadata["labels"]
    assert rollout()["selector"] == {"matchLabels": {"app": "genai-demo-backend"}}


def test_both_services_select_the_pods_with_the_port_of_the_guide() -> None:
    services = {found["metadata"]["name"]: found["spec"] for found in rendered() if found["kind"] == "Service"}
    assert services.keys() == {"genai-demo-backend-service", "genai-demo-backend-canary"}
    for spec in services.values():
        assert spec["selector"] == {"app": "genai-demo-backend"}
        assert spec["ports"] == [{"port": 80, "targetPort": 8080, "name": "http"}]
        assert spec["type"] == "ClusterIP"


def test_a_pod_has_three_minutes_to_start_before_the_liveness_probe() -> None:
    probe = container()["startupProbe"]
    assert probe["httpGet"] == container()["livenessProbe"]["httpGet"]
    assert probe["periodSeconds"] * probe["failureThreshold"] == 180


def test_liveness_and_readiness_have_separate_endpoints() -> None:
    """A restart fixes neither the database nor the cache, so liveness must not depend on them."""
    assert container()["livenessProbe"]["httpGet"] == {"path": "/actuator/health/liveness", "port": 8080}
    assert container()["readinessProbe"]["httpGet"] == {"path": "/actuator/health/readiness", "port": 8080}
    groups = yaml.safe_load((MANIFESTS / "application.yml").read_text())["management"]["endpoint"]["health"]["group"]
    assert groups == {"liveness": {"include": "livenessState"}, "readiness": {"include": "readinessState,db,redis"}}


def test_a_terminating_pod_serves_until_the_load_balancer_has_deregistered_it() -> None:
    """A readiness gate, a sleep in preStop, and a grace period that is longer than the sleep."""
    gate = of_kind("Namespace")["metadata"]["labels"]["elbv2.k8s.aws/pod-readiness-gate-inject"]
    assert gate == "enabled"
    pause = container()["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause == 20
    assert pod()["terminationGracePeriodSeconds"] >= pause + 30


def test_two_of_three_pods_are_available_while_nodes_are_drained() -> None:
    spec = of_kind("PodDisruptionBudget")["spec"]
    assert spec == {"minAvailable": 2, "selector": rollout()["selector"]}


def test_the_application_has_no_privileges_on_its_node() -> None:
    context = pod()["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"]) == (True, 10001, 10001)
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_application_has_no_token_for_the_kubernetes_api() -> None:
    account = of_kind("ServiceAccount")
    assert pod()["serviceAccountName"] == account["metadata"]["name"] == "genai-demo-service-account"
    assert (pod()["automountServiceAccountToken"], account["automountServiceAccountToken"]) == (False, False)


def test_the_rollback_window_has_three_revisions_and_the_history_ten() -> None:
    assert rollout()["rollbackWindow"] == {"revisions": 3}
    assert rollout()["revisionHistoryLimit"] == 10


def test_the_rollout_splits_the_traffic_of_the_ingress_between_both_services() -> None:
    canary = rollout()["strategy"]["canary"]
    assert canary["stableService"] == "genai-demo-backend-service"
    assert canary["canaryService"] == "genai-demo-backend-canary"
    assert canary["trafficRouting"]["alb"]["ingress"] == of_kind("Ingress")["metadata"]["name"] == "genai-demo-ingress"
    assert [step for step in canary["steps"] if "pause" in step] == [{"pause": {}}] * 4


def test_the_load_balancer_accepts_tls_from_1_2_and_redirects_http() -> None:
    assert of_kind("Ingress")["spec"]["ingressClassName"] == "alb"
    assert annotation("listen-ports") == '[{"HTTP": 80}, {"HTTPS": 443}]'
    assert annotation("ssl-redirect") == "443"
    assert annotation("ssl-policy") == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    assert annotation("certificate-arn") == ENVIRONMENT.application.certificate_arn
    assert (annotation("scheme"), annotation("target-type")) == ("internet-facing", "ip")
    assert "kubernetes.io/ingress.class" not in of_kind("Ingress")["metadata"]["annotations"]


def test_the_health_check_of_the_load_balancer_is_the_readiness_probe() -> None:
    assert annotation("healthcheck-path") == container()["readinessProbe"]["httpGet"]["path"]


def test_the_public_endpoint_publishes_no_actuator_endpoint_except_health() -> None:
    published = {
        rule["host"]: [path["path"] for path in rule["http"]["paths"]] for rule in of_kind("Ingress")["spec"]["rules"]
    }
    assert published == {
        "api.genai-demo.com": ["/api", "/actuator/health"],
        "genai-demo.com": ["/api", "/ws"],
        "www.genai-demo.com": ["/api", "/ws"],
    }


def test_each_path_to_the_backend_uses_the_weighted_action() -> None:
    action = rollout()["strategy"]["canary"]["trafficRouting"]["alb"]["rootService"]
    for rule in of_kind("Ingress")["spec"]["rules"]:
        for path in rule["http"]["paths"]:
            assert path["pathType"] == "Prefix"
            assert path["backend"] == {"service": {"name": action, "port": {"name": "use-annotation"}}}


def test_project_and_environment_are_those_of_the_environments_file() -> None:
    variables = {item["name"]: item.get("value") for item in container()["env"]}
    assert (variables["PROJECT"], variables["ENVIRONMENT"]) == (ENVIRONMENT.project, ENVIRONMENT.name)
    namespace = of_kind("Namespace")["metadata"]
    labels = namespace["labels"]
    assert (labels["project"], labels["environment"]) == (ENVIRONMENT.project, ENVIRONMENT.name)
    assert namespace["name"] == ENVIRONMENT.application.namespace
    assert annotation("load-balancer-name") == f"{ENVIRONMENT.prefix}-alb"


def test_all_objects_are_in_the_namespace_of_the_environment() -> None:
    others = [manifest for manifest in rendered() if manifest["kind"] != "Namespace"]
    assert {manifest["metadata"]["namespace"] for manifest in others} == {ENVIRONMENT.application.namespace}
