from typing import Any

import pytest

from delivery.rollout.pods import MAX_LOG_CHARACTERS, describe_diagnostics, parse_pod

READY = {"type": "Ready", "status": "True"}
UNREADY = {"type": "Ready", "status": "False"}


def pod(state: dict[str, Any], *conditions: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    reference = {"valueFrom": {"secretKeyRef": {"name": "rds-config", "key": "password"}}}
    status = {"name": "backend", "restartCount": 2, "ready": False, "state": state, "lastState": last or {}}
    return {
        "metadata": {"name": "backend-7c9f-x", "labels": {"rollouts-pod-template-hash": "7c9f"}},
        "spec": {"containers": [{"image": "registry/backend@sha256:7c9f", "env": [{"name": "P", **reference}]}]},
        "status": {"conditions": conditions, "containerStatuses": [status]},
    }


def test_a_crash_loop_is_a_failure_that_names_the_exit_code() -> None:
    crashing = parse_pod(pod({"waiting": {"reason": "CrashLoopBackOff"}}, last={"terminated": {"exitCode": 3}}))
    assert crashing.failure == "CrashLoopBackOff (exit code 3)"
    assert (crashing.container, crashing.secrets) == ("backend", ("rds-config",))


def test_an_image_that_cannot_be_pulled_is_a_failure_with_its_message() -> None:
    failed = parse_pod(pod({"waiting": {"reason": "ImagePullBackOff", "message": "no such manifest"}}))
    assert failed.failure == "ImagePullBackOff (no such manifest)"


def test_a_container_that_is_being_created_is_not_a_failure() -> None:
    creating = parse_pod(pod({"waiting": {"reason": "ContainerCreating"}}))
    assert creating.failure is None
    assert creating.unready_reason == "container backend is waiting: ContainerCreating"


@pytest.mark.parametrize(
    ("conditions", "reason"),
    [
        ((READY,), None),
        ((UNREADY,), "container backend is running and not ready"),
        (
            (UNREADY, {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available"}),
            "it cannot be scheduled: 0/3 nodes are available",
        ),
        (
            (
                UNREADY,
                {"type": "ContainersReady", "status": "True"},
                {"type": "target-health.elbv2.k8s.aws/k8s-blue", "status": "False"},
            ),
            "its readiness gates are not True: target-health.elbv2.k8s.aws/k8s-blue",
        ),
        (
            (
                UNREADY,
                {"type": "ContainersReady", "status": "True"},
                {"type": "target-health.elbv2.k8s.aws/k8s-blue", "status": "False", "message": "Request timed out"},
            ),
            "its readiness gates are not True: target-health.elbv2.k8s.aws/k8s-blue (Request timed out)",
        ),
    ],
)
def test_a_pod_that_is_not_ready_has_a_reason(conditions, reason) -> None:
    assert parse_pod(pod({"running": {}}, *conditions)).unready_reason == reason


def event(reason: str, at: str, kind: str = "Warning") -> dict[str, Any]:
    return {"type": kind, "reason": reason, "message": f"message of {reason}", "lastTimestamp": at, "metadata": {}}


def test_diagnostics_are_the_last_warning_and_the_end_of_the_log() -> None:
    events = [event("BackOff", "2026-11-24T12:02:00Z"), event("Failed", "2026-11-24T12:01:00Z")]
    events.append(event("Pulled", "2026-11-24T12:03:00Z", "Normal"))
    described = describe_diagnostics(events, "one\n\ntwo\n", ())
    assert described == "last warning BackOff: message of BackOff; end of its log: one | two"


def test_a_pod_without_warnings_and_without_a_log_has_no_diagnostics() -> None:
    assert describe_diagnostics([], "", ()) == ""


def test_the_value_of_a_secret_is_masked_in_the_diagnostics() -> None:
    described = describe_diagnostics([], "login with Tr0ub4dor failed", ("Tr0ub4dor", "wi"))
    assert described == "end of its log: login with *** failed"


def test_a_secret_where_a_long_log_is_cut_is_masked_completely() -> None:
    described = describe_diagnostics([], "Tr0ub4dor" + "x" * (MAX_LOG_CHARACTERS - 4), ("Tr0ub4dor",))
    assert "4dor" not in described


def test_secrets_of_init_containers_are_masked_too() -> None:
    manifest = pod({"running": {}})
    manifest["spec"]["initContainers"] = [{"image": "migrate", "envFrom": [{"secretRef": {"name": "migration"}}]}]
    assert parse_pod(manifest).secrets == ("migration", "rds-config")


def test_a_long_log_is_cut_to_its_end() -> None:
    described = describe_diagnostics([], "x" * 1000 + "end", ())
    assert described.endswith("end")
    assert len(described) < MAX_LOG_CHARACTERS + 20


def test_each_line_of_a_secret_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----\n"
    log = "cannot read:\n" + "".join(f"  {line}\n" for line in key.splitlines())
    assert describe_diagnostics([], log, (key,)) == "end of its log: cannot read: | *** | *** | *** | ***"
    described = describe_diagnostics([], "the key is hunter22secret, see above", ("hunter22secret\n",))
    assert described == "end of its log: the key is ***, see above"


def test_secrets_are_found_in_the_environment_and_in_the_volumes() -> None:
    spec = {
        "containers": [{"image": "i", "envFrom": [{"secretRef": {"name": "whole"}}]}],
        "volumes": [
            {"name": "a", "secret": {"secretName": "mounted"}},
            {"name": "b", "projected": {"sources": [{"secret": {"name": "projected"}}, {"configMap": {"name": "no"}}]}},
            {"name": "c", "emptyDir": {}},
        ],
    }
    assert parse_pod({"metadata": {"name": "p"}, "spec": spec}).secrets == ("mounted", "projected", "whole")
