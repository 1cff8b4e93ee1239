"""The health of targets as their load balancer sees it: moto takes each for healthy the moment it is registered."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from sandbox.aws.requests import Environ, StartResponse, WsgiApp, buffer_body
from sandbox.load_balancer.configuration import target_group_arns

CONTROL = "/sandbox/target-health"
DELAY = "deregistration_delay.timeout_seconds"

Health = Mapping[str, str]
"""State, Reason and Description, as DescribeTargetHealth tells them; of a healthy target the state alone."""
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


class TargetHealthBoard:
    """What the load balancer's data plane reported last, whole each time: health by target group and `address:port`.

    Where no load balancer ever reported, none checks anything, and nothing is known.
    """

    def __init__(self) -> None:
        self._reported: Mapping[str, Mapping[str, Health]] | None = None

    def report(self, reported: Mapping[str, Mapping[str, Health]]) -> None:
        self._reported = reported

    def health_of(self, group: str, target: str) -> Health | None:
        """Of a registered target. None where nothing is known."""
        return None if self._reported is None else self._reported.get(group, {}).get(target, REGISTERING)


class TargetHealthReports:
    """Takes the data plane's reports, by PUT, before the requests to AWS."""

    def __init__(self, app: WsgiApp, board: TargetHealthBoard) -> None:
        self._app, self._board = app, board

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != CONTROL:
            return self._app(environ, start_response)
        self._board.report(json.loads(buffer_body(environ)))
        start_response("204 No Content", [])
        return [b""]


def mend_target_health(board: TargetHealthBoard, time_factor: float) -> None:
    """Make DescribeTargetHealth tell what was seen and what nothing uses, and a target that leaves drain for a while.

    That while is its group's deregistration delay, divided by the sandbox's factor.
    """
    FakeTargetGroup.deregister = _keeping_when(FakeTargetGroup.deregister)
    ELBv2Backend.describe_target_health = _as_seen(ELBv2Backend.describe_target_health, board, time_factor)


def _keeping_when(deregister: Callable[..., None]) -> Callable[..., None]:
    def deregistered(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        deregister(self, targets)
        for target in targets:
            self.deregistered_targets[target["Id"]]["At"] = time.monotonic()

    return deregistered


def _as_seen(describe: Callable[..., Any], board: TargetHealthBoard, time_factor: float) -> Callable[..., Any]:
    def describe_target_health(self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]) -> list[Any]:
        found: list[Any] = describe(self, target_group_arn, targets)
        group, is_used = self.target_groups[target_group_arn], target_group_arn in _used_groups(self)
        for status in found:
            told = board.health_of(target_group_arn, f"{status.instance_id}:{status.port}")
            seen = told if is_used else UNUSED
            if seen is not None and status.instance_id in group.targets:
                status.status, status.reason, status.description = _parts(seen)
        return found if targets else found + _draining(group, time_factor)

    return describe_target_health


def _used_groups(backend: ELBv2Backend) -> set[str]:
    """The target groups that some rule, or some listener by default, forwards to; also those with weight 0."""
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
