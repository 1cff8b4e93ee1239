"""What the users of a sandbox's site were answered: by their own count, and by the load balancer's."""

import json
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.aws.client import client
from sandbox.instance import Sandbox

# The load balancer publishes a period when it has ended.
SECONDS_TO_PUBLISH = 15.0
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass(frozen=True)
class Answers:
    """Since the sandbox began. failed: 5xx and what was not answered at all, by pod and outcome, as the users saw it.

    of_pods, of_balancer: 5xx that pods answered and that the load balancer answered itself, as it counted.
    """

    requests: int
    failed: Counter[tuple[str, str]]
    of_pods: int
    of_balancer: int

    def less(self, before: "Answers") -> "Answers":
        return Answers(
            self.requests - before.requests,
            self.failed - before.failed,
            self.of_pods - before.of_pods,
            self.of_balancer - before.of_balancer,
        )

    def failed_without(self, hashes: Collection[str]) -> Counter[tuple[str, str]]:
        """What users saw fail, less what pods of these revisions answered."""
        return Counter(
            {key: count for key, count in self.failed.items() if not any(f"-{h}-" in key[0] for h in hashes)}
        )


def count_answers(sandbox: Sandbox) -> Answers:
    """Both counts at about this moment, once the load balancer has published as many requests as users have sent."""
    told = json.loads((sandbox.state / "traffic.json").read_text())
    deadline = time.monotonic() + SECONDS_TO_PUBLISH
    while published(sandbox, "RequestCount") < told["finished"] and time.monotonic() < deadline:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    outcomes = {(pod, outcome): count for pod, by in told["by_pod"].items() for outcome, count in by.items()}
    failed = Counter({key: count for key, count in outcomes.items() if is_failure(key[1])})
    of_pods, own = (published(sandbox, f"HTTPCode_{whose}_5XX_Count") for whose in ("Target", "ELB"))
    return Answers(told["finished"], failed, of_pods, own)


def is_failure(outcome: str) -> bool:
    """outcome: a status, or the name of what went wrong."""
    return not outcome.isdigit() or int(outcome) >= 500


def published(sandbox: Sandbox, metric: str) -> int:
    """The metric's sum for the one load balancer."""
    elbv2 = client("elbv2", sandbox.addresses, sandbox.settings)
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    now = datetime.now(UTC)
    points = client("cloudwatch", sandbox.addresses, sandbox.settings).get_metric_statistics(
        Namespace="AWS/ApplicationELB",
        MetricName=metric,
        Dimensions=[{"Name": "LoadBalancer", "Value": balancer["LoadBalancerArn"].partition("loadbalancer/")[2]}],
        StartTime=now - timedelta(hours=6),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Sum"],
    )["Datapoints"]
    return round(sum(point["Sum"] for point in points))
