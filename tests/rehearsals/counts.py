"""Requests per arm of a canary, counted at three places that know nothing of one another."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from clients.cluster import Cluster, connect_cluster
from delivery.environment import Environment
from sandbox.aws.client import client
from sandbox.testing import eventually
from tests.environments import production as production_file
from tests.rehearsals.rehearsal import Rehearsal

NAMESPACE = "genai-demo-production"
ROLLOUT = "genai-demo-backend"
HASH = "rollouts-pod-template-hash"
SERVICES = {"genai-demo-backend-service": "stable", "genai-demo-backend-canary": "canary"}
PORT = 8080
# The first request of the users, which only checks that the site answers; they do not count it.
PROBES = 1


@dataclass(frozen=True)
class Counts:
    stable: int
    canary: int

    @property
    def total(self) -> int:
        return self.stable + self.canary

    def less(self, before: "Counts") -> "Counts":
        return Counts(self.stable - before.stable, self.canary - before.canary)


def count_at_pods(rehearsal: Rehearsal) -> Counts:
    """What each pod counted at its own socket, without probes."""
    found = {"stable": 0, "canary": 0}
    for pod, arm in pods(rehearsal).items():
        found[arm] += sum(count_of(pod[1], uri) for uri in ("/api/products", "/api/analytics/events"))
    return Counts(**found)


def count_of(ip: str, uri: str) -> int:
    url = f"http://{ip}:{PORT}/actuator/metrics/http.server.requests"
    answer = httpx.get(url, params={"tag": f"uri:{uri}"}, trust_env=False).raise_for_status().json()
    return round(next(found["value"] for found in answer["measurements"] if found["statistic"] == "COUNT"))


def count_at_load_balancer(rehearsal: Rehearsal) -> Counts:
    """CloudWatch's RequestCount of both target groups within the last hour."""
    bindings = cluster_of(rehearsal).list("TargetGroupBinding", NAMESPACE)
    found = {"stable": 0, "canary": 0}
    for binding in bindings:
        found[SERVICES[binding["spec"]["serviceRef"]["name"]]] += requests_of(
            rehearsal, binding["spec"]["targetGroupARN"].rpartition(":")[2]
        )
    return Counts(**found)


def settle_at_load_balancer(rehearsal: Rehearsal) -> Counts:
    """The same, once nothing came in for three periods: counts are published when their period has ended."""
    quiet = 3 * rehearsal.sandbox.settings.metric_period_seconds
    seen, since = count_at_load_balancer(rehearsal), time.monotonic()

    def is_quiet() -> bool:
        nonlocal seen, since
        if (now := count_at_load_balancer(rehearsal)) != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > quiet

    eventually(is_quiet)
    return seen


def requests_of(rehearsal: Rehearsal, group: str) -> int:
    sandbox = rehearsal.sandbox
    elb = client("elbv2", sandbox.addresses, sandbox.settings).describe_load_balancers()["LoadBalancers"][0]
    name = elb["LoadBalancerArn"].partition("loadbalancer/")[2]
    now = datetime.now(UTC)
    answer = client("cloudwatch", sandbox.addresses, sandbox.settings).get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Dimensions=[{"Name": "LoadBalancer", "Value": name}, {"Name": "TargetGroup", "Value": group}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )
    return round(sum(point["Sum"] for point in answer["Datapoints"]))


def count_at_generator(rehearsal: Rehearsal) -> Counts:
    """What the users counted since they began, by the pod that answered."""
    answer = json.loads((rehearsal.sandbox.state / "traffic.json").read_text())["by_pod"]
    found = {"stable": 0, "canary": 0}
    arms = {name: arm for (name, _), arm in pods(rehearsal).items()}
    for pod, outcomes in answer.items():
        found[arms[pod]] += sum(outcomes.values())
    return Counts(**found)


def pods(rehearsal: Rehearsal) -> dict[tuple[str, str], str]:
    """Name and address of each pod -> the arm that it belongs to."""
    cluster = cluster_of(rehearsal)
    stable = rollout_of(cluster)["status"]["stableRS"]
    return {
        (pod["metadata"]["name"], pod["status"]["podIP"]): "stable"
        if pod["metadata"]["labels"][HASH] == stable
        else "canary"
        for pod in cluster.list("Pod", NAMESPACE, HASH)
    }


def weights(rehearsal: Rehearsal) -> set[float]:
    """The canary's weight in percent in each listener rule that splits traffic."""
    sandbox = rehearsal.sandbox
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    canary = {
        binding["spec"]["targetGroupARN"]
        for binding in cluster_of(rehearsal).list("TargetGroupBinding", NAMESPACE)
        if SERVICES[binding["spec"]["serviceRef"]["name"]] == "canary"
    }
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]
    rules = [rule for found in listeners for rule in elbv2.describe_rules(ListenerArn=found["ListenerArn"])["Rules"]]
    groups = [group for rule in rules for action in rule["Actions"] for group in weights_of(action)]
    return {float(group["Weight"]) for group in groups if group["TargetGroupArn"] in canary}


def weights_of(action: dict[str, Any]) -> list[dict[str, Any]]:
    return action.get("ForwardConfig", {}).get("TargetGroups", [])


def rollout_of(cluster: Cluster) -> dict[str, Any]:
    found = cluster.read("Rollout", ROLLOUT, NAMESPACE)
    assert found is not None
    return found


def cluster_of(rehearsal: Rehearsal) -> Cluster:
    return connect_cluster(environment_of(rehearsal), "")


def environment_of(rehearsal: Rehearsal) -> Environment:
    base = production_file(rehearsal.sandbox.state / "store")
    kubeconfig = str(rehearsal.sandbox.state / "kubeconfig")
    return base.model_copy(update={"application": base.application.model_copy(update={"kubeconfig": kubeconfig})})
