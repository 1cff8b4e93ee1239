"""The responses that the users of a sandbox got: as they counted them, and as the load balancer did."""

import json
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.aws.client import client
from sandbox.instance import Sandbox

# The load balancer publishes the counts of a period after its end.
SECONDS_TO_PUBLISH = 15.0
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Responses:
    """Counted since the start of the sandbox. failed: status 5xx and requests without a response, by pod and outcome,
    as the users counted them.

    of_pods, of_balancer: status 5xx from pods and from the load balancer itself, as the load balancer counted them.
    """

    requests: int
    failed: Counter[tuple[str, str]]
    of_pods: int
    of_balancer: int

    def since(self, before: "Responses") -> "Responses":
        return Responses(
            self.requests - before.requests,
            self.failed - before.failed,
            self.of_pods - before.of_pods,
            self.of_balancer - before.of_balancer,
        )

    def failed_without(self, hashes: Collection[str]) -> Counter[tuple[str, str]]:
        """The failures that the users counted, without those from pods of these revisions."""
        return Counter(
            {key: count for key, count in self.failed.items() if not any(f"-{h}-" in key[0] for h in hashes)}
        )


def count_responses(sandbox: Sandbox) -> Responses:
    """Both counts, after the load balancer has published as many requests as the users have sent."""
    traffic = json.loads((sandbox.state / "traffic.json").read_text())
    deadline = time.monotonic() + SECONDS_TO_PUBLISH
    while read_metric(sandbox, "RequestCount") < traffic["finished"] and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    outcomes = {(pod, outcome): count for pod, by in traffic["by_pod"].items() for outcome, count in by.items()}
    failed = Counter({key: count for key, count in outcomes.items() if is_failure(key[1])})
    of_pods, of_balancer = (read_metric(sandbox, f"HTTPCode_{source}_5XX_Count") for source in ("Target", "ELB"))
    return Responses(traffic["finished"], failed, of_pods, of_balancer)


def is_failure(outcome: str) -> bool:
    """outcome: a status, or the name of an error."""
    return not outcome.isdigit() or int(outcome) >= 500


def read_metric(sandbox: Sandbox, metric: str) -> int:
    """The sum of the metric for the only load balancer."""
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
