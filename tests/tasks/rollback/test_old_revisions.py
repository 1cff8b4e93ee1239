"""Rollbacks to an earlier revision inside the rollback window and outside it, and to its earlier settings."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from kubernetes.client import CustomObjectsApi
from kubernetes.config import new_client_from_config
from kubernetes.watch import Watch

from clients.cluster import Cluster
from delivery.plan import PartPlan, StepAction
from sandbox.testing import PATIENCE, eventually
from tasks.application.planning import make_object_plan, render_application
from tasks.rollout.live import connect_rollout
from tests.shop import Shop
from tests.tasks.canaries import change_pods, promote, roll_back_to, served_digest

pytestmark = pytest.mark.proof


def set_window(shop: Shop, revisions: int) -> None:
    path = Path(shop.environment.application.manifests, "all.yaml")
    manifests = list(yaml.safe_load_all(path.read_text()))
    manifests[-1]["spec"]["rollbackWindow"] = {"revisions": revisions}
    path.write_text(yaml.safe_dump_all(manifests))


def count_weight_events(shop: Shop, weight_percent: int) -> int:
    """How often the controller has given a canary this weight."""
    events = shop.cluster.list("Event", shop.namespace, fields="involvedObject.kind=Rollout")
    return sum(event["count"] for event in events if f"desiredWeight '{weight_percent}'" in event["message"])


def pauses(shop: Shop) -> set[tuple[str, int]]:
    """Pod-template hash and step index of each pause of the Rollout, from all of its changes since it was created.

    Events are not enough: the controller records one only if the pause still exists at its next reconciliation.
    """
    objects = CustomObjectsApi(new_client_from_config(shop.environment.application.kubeconfig))
    changes: Any = Watch().stream(
        objects.list_namespaced_custom_object,
        "argoproj.io",
        "v1alpha1",
        shop.namespace,
        "rollouts",
        resource_version=version_of(shop.cluster.read("Namespace", shop.namespace)),
        timeout_seconds=2,
    )
    statuses = (change["object"].get("status", {}) for change in changes)
    return {
        (status["currentPodHash"], status["currentStepIndex"]) for status in statuses if "pauseConditions" in status
    }


def version_of(obj: dict[str, Any] | None) -> str:
    assert obj is not None
    return obj["metadata"]["resourceVersion"]


def test_a_revision_inside_the_rollback_window_gets_all_traffic_without_a_step(shop: Shop) -> None:
    set_window(shop, 1)
    first = shop.push("a")
    promote(shop, first)
    promote(shop, shop.push("b"))
    paused = pauses(shop)
    assert (count_weight_events(shop, 30), count_weight_events(shop, 70), len(paused)) == (1, 1, 2)
    sentence = roll_back_to(shop, first, 1)
    # Until all of its pods are ready, the controller gives it the weight of the last step, and does not pause there.
    assert (count_weight_events(shop, 30), pauses(shop)) == (1, paused)
    assert sentence.startswith(f"Revision 3, {first}, serves all traffic, confirmed at the load balancer.")
    assert served_digest(shop) == first


def test_a_digest_that_served_gets_a_canary_again_if_the_release_requests_it(shop: Shop) -> None:
    first = shop.push("a")
    promote(shop, first)
    promote(shop, shop.push("b"))
    (refusal,) = plan(shop, first).refusals
    assert refusal.startswith(f"{first} is revision 1, which served before. Without --canary, Argo")
    planned = plan(shop, first, canary=True)
    assert planned.refusals == ()
    assert planned.steps[-1].changes[-2].startswith("deletes the ReplicaSet of revision 1 first, ")
    promote(shop, first)
    assert (count_weight_events(shop, 30), count_weight_events(shop, 70)) == (2, 2)
    assert served_digest(shop) == first
    assert plan(shop, first).refusals == ()


def plan(shop: Shop, digest: str, *, canary: bool = False) -> PartPlan:
    manifests = render_application(shop.environment, digest, {})
    return make_object_plan(connect_rollout(shop.environment), manifests, digest, canary=canary)


def test_a_rollback_outside_the_rollback_window_runs_the_canary_steps_to_their_end(shop: Shop) -> None:
    set_window(shop, 1)
    first = shop.push("a")
    promote(shop, first)
    promote(shop, shop.push("b"))
    promote(shop, shop.push("c"))
    assert (count_weight_events(shop, 30), count_weight_events(shop, 70)) == (2, 2)
    sentence = roll_back_to(shop, first, 1)
    assert (count_weight_events(shop, 30), count_weight_events(shop, 70)) == (3, 3)
    assert sentence.startswith(f"Revision 4, {first}, serves all traffic, confirmed at the load balancer.")
    assert served_digest(shop) == first


def test_a_rollback_restores_the_settings_of_its_revision(shop: Shop) -> None:
    """Two releases of one digest; only the Secret differs, which was rotated between them."""
    digest = shop.push("a")
    change_pods(shop, set_status_from_secret)
    before, after = {"rds-config": "rds-config-1"}, {"rds-config": "rds-config-2"}
    make_secrets(shop.cluster, shop.namespace, {"rds-config-1": "200", "rds-config-2": "202"})
    promote(shop, digest, before)
    live = connect_rollout(shop.environment)
    (*others, rollout) = make_object_plan(live, render_application(shop.environment, digest, after), digest).steps
    assert {step.action for step in others} == {StepAction.NOTHING}
    assert (rollout.action, rollout.changes[-1]) == (StepAction.CHANGE, "canary at 30, 70 %, then all traffic")
    promote(shop, digest, after)
    # The load balancer applies a weight a moment after elbv2 reports it.
    eventually(lambda: statuses(shop) == {202})
    roll_back_to(shop, digest, 1)
    eventually(lambda: statuses(shop) == {200})
    assert {name for pod in live.read().pods if not pod.is_terminating for name in pod.secrets} == {"rds-config-1"}


def set_status_from_secret(spec: dict[str, Any]) -> None:
    reference = {"secretKeyRef": {"name": "${RDS_CONFIG}", "key": "status"}}
    spec["containers"][0]["env"] = [{"name": "STATUS", "valueFrom": reference}]


def make_secrets(cluster: Cluster, namespace: str, contents: dict[str, str]) -> None:
    """And their namespace: a release applies its settings before its application."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for name, status in contents.items():
        metadata = {"name": name, "namespace": namespace}
        cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"status": status}})


def statuses(shop: Shop) -> set[int]:
    """The statuses of requests through the load balancer."""
    url = f"https://{shop.sandbox.addresses.load_balancer}/api/work"
    with httpx.Client(verify=False, headers={"Host": shop.host}, timeout=PATIENCE) as http:  # noqa: S501
        return {http.get(url).status_code for _ in range(20)}
