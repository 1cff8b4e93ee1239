"""The AWS of the sandbox for tests: boto3 clients and faults."""

from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.aws.client import client_at

# The arguments of an alarm in a test, besides its name. Its metric has no data.
ALARM = {
    "Namespace": "Slipway/Test",
    "MetricName": "failed",
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@dataclass(frozen=True)
class SandboxAws:
    endpoint: str

    def client(self, service: str) -> Any:
        return client_at(self.endpoint, service, "us-east-1")

    def fault(self, **fault: Any) -> None:
        """Add a fault. fault: the fields of a fault of the sandbox."""
        httpx.post(f"{self.endpoint}/sandbox/faults", json=fault).raise_for_status()

    def hits(self) -> list[dict[str, str]]:
        """The requests and resources that the faults hit, oldest first."""
        return httpx.get(f"{self.endpoint}/sandbox/faults").json()["hits"]

    def clear_faults(self) -> None:
        httpx.delete(f"{self.endpoint}/sandbox/faults").raise_for_status()
