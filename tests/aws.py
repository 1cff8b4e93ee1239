"""The sandbox's AWS for tests: its faults, and boto3 clients that a test looks through."""

from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.aws.client import client_at

# What an alarm of a test takes besides its name; nobody publishes its metric.
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
        """Add a fault, by the fields of the sandbox's faults."""
        httpx.post(f"{self.endpoint}/sandbox/faults", json=fault).raise_for_status()

    def hits(self) -> list[dict[str, str]]:
        return httpx.get(f"{self.endpoint}/sandbox/faults").json()["hits"]

    def clear_faults(self) -> None:
        httpx.delete(f"{self.endpoint}/sandbox/faults").raise_for_status()
