"""The health of targets as the load balancer reports it. In moto, a target is healthy when it is registered."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from sandbox.aws.http.requests import Environ, StartResponse, WsgiApp, buffer_body
from sandbox.aws.services.listener_actions import target_group_arns

CONTROL = "/sandbox/target-health"
DELAY = "deregistration_delay.timeout_seconds"

Health = Mapping[str, str]
"""State, Reason and Description of DescribeTargetHealth. A healthy target has only the state."""
REGISTERING: Health = {
    "State": "initial",
    "Reason": "Elb.RegistrationInProgress",
    "Description": "Target registration is in progress",
}
DRAINING: Health = {
    "State": "draining",
    "Reason": "Target.DeregistrationInProgress",
    "Description": "Target deregistration is in progress",
}
UNUSED: Health = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}


class ReportedHealth:
    """The last report of the load balancer: the health of all targets, by target group and `address:port`.

    Without a report, no load balancer runs, and the health is unknown.
    """

    def __init__(self) -> None:
        self._reported: Mapping[str, Mapping[str, Health]] | None = None

    def report(self, reported: Mapping[str, Mapping[str, Health]]) -> None:
        self._reported = reported

    def health_of(self, group: str, target: str) -> Health | None:
        """The health of a registered target, or None if it is unknown."""
        return None if self._reported is None else self._reported.get(group, {}).get(target, REGISTERING)


class HealthReportReceiver:
    """Receives the reports of the load balancer by PUT, and passes all other requests to `app`."""

    def __init__(self, app: WsgiApp, reported_health: ReportedHealth) -> None:
        self._app, self._reported_health = app, reported_health

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != CONTROL:
            return self._app(environ, start_response)
        self._reported_health.report(json.loads(buffer_body(environ)))
        start_response("204 No Content", [])
        return [b""]


def patch_target_health(reported_health: ReportedHealth, time_factor: float) -> None:
    """Let DescribeTargetHealth return the reported health, unused target groups and draining targets.

    A deregistered target drains for the deregistration delay of its group, divided by the time factor.
    """
    FakeTargetGroup.deregister = _with_time(FakeTargetGroup.deregister)
    ELBv2Backend.describe_target_health = _with_reported_health(
        ELBv2Backend.describe_target_health, reported_health, time_factor
    )


def _with_time(deregister: Callable[..., None]) -> Callable[..., None]:
    def deregistered(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        deregister(self, targets)
        for target in targets:
            self.deregistered_targets[target["Id"]]["At"] = time.monotonic()

    return deregistered


def _with_reported_health(
    describe: Callable[..., Any], reported_health: ReportedHealth, time_factor: float
) -> Callable[..., Any]:
    def describe_target_health(self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        found: list[Any] = describe(self, target_group_arn, targets)
        group, is_used = self.target_groups[target_group_arn], target_group_arn in _used_groups(self)
        for status in found:
            reported = reported_health.health_of(target_group_arn, f"{status.instance_id}:{status.port}")
            health = reported if is_used else UNUSED
            if health is not None and status.instance_id in group.targets:
                status.status, status.reason, status.description = _parts(health)
        return found if targets else found + _draining(group, time_factor)

    return describe_target_health


def _used_groups(backend: ELBv2Backend) -> set[str]:
    """The target groups to which a rule or a default action forwards, also with weight 0."""
    listeners = (listener for balancer in backend.load_balancers.values() for listener in balancer.listeners.values())
    actions = (action for listener in listeners for rule in listener.rules.values() for action in rule.actions)
    return {arn for action in actions for arn in target_group_arns(action.data)}


def _draining(group: FakeTargetGroup, time_factor: float) -> list[Any]:
    since = time.monotonic() - float(group.attributes[DELAY]) / time_factor
    return [
        FakeHealthStatus(target["Id"], target["Port"], group.health_check_port, *_parts(DRAINING))
        for target in group.deregistered_targets.values()
        if target.get("At", 0.0) > since
    ]


def _parts(health: Health) -> tuple[str, str | None, str | None]:
    return health["State"], health.get("Reason"), health.get("Description")
