from typing import Any

import pytest

from delivery.rollout.pods import LONGEST_WORDS, describe_words, parse_pod

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


def test_a_crash_loop_is_trouble_that_names_the_exit_code() -> None:
    found = parse_pod(pod({"waiting": {"reason": "CrashLoopBackOff"}}, last={"terminated": {"exitCode": 3}}))
    assert found.trouble == "CrashLoopBackOff (it ended with exit code 3)"
    assert (found.container, found.secrets) == ("backend", ("rds-config",))


def test_an_image_that_cannot_be_pulled_is_trouble_with_its_message() -> None:
    found = parse_pod(pod({"waiting": {"reason": "ImagePullBackOff", "message": "no such manifest"}}))
    assert found.trouble == "ImagePullBackOff (no such manifest)"


def test_a_container_that_is_being_made_is_no_trouble() -> None:
    found = parse_pod(pod({"waiting": {"reason": "ContainerCreating"}}))
    assert found.trouble is None
    assert found.waits_for == "container backend waits: ContainerCreating"


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ((READY,), None),
        ((UNREADY,), "container backend runs and is not ready"),
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
            "its readiness gates are not open: target-health.elbv2.k8s.aws/k8s-blue",
        ),
        (
            (
                UNREADY,
                {"type": "ContainersReady", "status": "True"},
                {"type": "target-health.elbv2.k8s.aws/k8s-blue", "status": "False", "message": "Request timed out"},
            ),
            "its readiness gates are not open: target-health.elbv2.k8s.aws/k8s-blue (Request timed out)",
        ),
    ],
)
def test_a_pod_that_is_not_ready_says_what_it_waits_for(conditions, why) -> None:
    assert parse_pod(pod({"running": {}}, *conditions)).waits_for == why


def event(reason: str, at: str, kind: str = "Warning") -> dict[str, Any]:
    return {"type": kind, "reason": reason, "message": f"{reason} it was", "lastTimestamp": at, "metadata": {}}


def test_the_last_warning_and_the_end_of_the_log_are_a_pods_last_words() -> None:
    events = [event("BackOff", "2026-11-24T12:02:00Z"), event("Failed", "2026-11-24T12:01:00Z")]
    events.append(event("Pulled", "2026-11-24T12:03:00Z", "Normal"))
    assert describe_words(events, "one\n\ntwo\n", ()) == "BackOff: BackOff it was; its log ends: one | two"


def test_a_pod_of_which_nothing_is_known_has_no_last_words() -> None:
    assert describe_words([], "", ()) == ""


def test_a_secrets_value_is_masked_in_a_pods_last_words() -> None:
    assert describe_words([], "login with Tr0ub4dor failed", ("Tr0ub4dor", "wi")) == (
        "its log ends: login with *** failed"
    )


def test_a_secret_at_the_cut_of_a_long_log_leaves_nothing_behind() -> None:
    words = describe_words([], "Tr0ub4dor" + "x" * (LONGEST_WORDS - 4), ("Tr0ub4dor",))
    assert "4dor" not in words


def test_secrets_of_init_containers_are_masked_as_well() -> None:
    described = pod({"running": {}})
    described["spec"]["initContainers"] = [{"image": "migrate", "envFrom": [{"secretRef": {"name": "migration"}}]}]
    assert parse_pod(described).secrets == ("migration", "rds-config")


def test_a_long_log_is_cut_to_its_end() -> None:
    words = describe_words([], "x" * 1000 + "end", ())
    assert words.endswith("end")
    assert len(words) < LONGEST_WORDS + 20


def test_a_secret_of_many_lines_is_masked_a_line_at_a_time() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQ\n-----END KEY-----\n"
    log = "cannot read:\n" + "".join(f"  {line}\n" for line in key.splitlines())
    assert describe_words([], log, (key,)) == "its log ends: cannot read: | *** | *** | *** | ***"
    assert (
        describe_words([], "it is hunter22secret, he said", ("hunter22secret\n",)) == "its log ends: it is ***, he said"
    )


def test_secrets_are_those_of_the_environment_and_of_the_volumes() -> None:
    spec = {
        "containers": [{"image": "i", "envFrom": [{"secretRef": {"name": "whole"}}]}],
        "volumes": [
            {"name": "a", "secret": {"secretName": "mounted"}},
            {"name": "b", "projected": {"sources": [{"secret": {"name": "projected"}}, {"configMap": {"name": "no"}}]}},
            {"name": "c", "emptyDir": {}},
        ],
    }
    assert parse_pod({"metadata": {"name": "p"}, "spec": spec}).secrets == ("mounted", "projected", "whole")
