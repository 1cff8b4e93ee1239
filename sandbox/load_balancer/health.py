"""The health of the targets, from the health checks of their target groups."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import h11

from sandbox.load_balancer.configuration import Configuration, HealthCheck, Target, TargetGroup
from sandbox.load_balancer.targets import TargetFailed, Targets

INITIAL, HEALTHY, UNHEALTHY = "initial", "healthy", "unhealthy"
SHORTEST_INTERVAL_SECONDS = 0.2
# A target must not become unhealthy because the machine is busy.
SHORTEST_TIMEOUT_SECONDS = 3.0


@dataclass(frozen=True)
class Problem:
    """Why a check failed, in the words of elbv2."""

    reason: str
    description: str


CHECKING = Problem("Elb.InitialHealthChecking", "Initial health checks in progress")
TIMED_OUT = Problem("Target.Timeout", "Request timed out")
FAILED = Problem("Target.FailedHealthChecks", "Health checks failed")


def another_code(status: int) -> Problem:
    return Problem("Target.ResponseCodeMismatch", f"Health checks failed with these codes: [{status}]")


@dataclass
class TargetState:
    """passed, failed: consecutive checks. As on AWS, a new target becomes healthy when it passes its first check.

    problem: why the target is not healthy.
    """

    state: str = INITIAL
    passed: int = 0
    failed: int = 0
    problem: Problem | None = CHECKING

    def record(self, problem: Problem | None, check: HealthCheck) -> None:
        """Record a check. problem: why it failed, or None if it passed."""
        passed = problem is None
        self.passed, self.failed = (self.passed + 1, 0) if passed else (0, self.failed + 1)
        if (self.state == INITIAL and passed) or self.passed >= check.healthy_threshold:
            self.state, self.problem = HEALTHY, None
        elif self.failed >= check.unhealthy_threshold:
            self.state, self.problem = UNHEALTHY, problem

    def describe(self) -> dict[str, str]:
        """The health in the form of DescribeTargetHealth."""
        why = {"Reason": self.problem.reason, "Description": self.problem.description} if self.problem else {}
        return {"State": self.state, **why}


class TargetHealth:
    """Checks each registered target of each group in its own task."""

    def __init__(self, time_factor: float) -> None:
        self._factor = time_factor
        self._states: dict[tuple[str, Target], TargetState] = {}
        self._tasks: dict[tuple[str, Target], asyncio.Task[None]] = {}
        self._targets = Targets()

    def follow(self, configuration: Configuration) -> None:
        """Start to check new targets, and stop to check deregistered targets."""
        wanted = {(arn, target): group.check for arn, group in configuration.groups.items() for target in group.targets}
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
            self._states.pop(key)
        for key in wanted.keys() - self._tasks.keys():
            self._states[key] = TargetState()
            self._tasks[key] = asyncio.create_task(self._check_forever(self._states[key], key[1], wanted[key]))

    def routable(self, group: TargetGroup) -> Sequence[Target]:
        """The healthy targets. If none is healthy, all targets, because AWS fails open."""
        healthy = [target for target in group.targets if self._state(group, target) == HEALTHY]
        return healthy or group.targets

    def counts(self, group: TargetGroup) -> tuple[int, int]:
        """The number of healthy and of other targets."""
        states = [self._state(group, target) for target in group.targets]
        return states.count(HEALTHY), len(states) - states.count(HEALTHY)

    def describe(self) -> dict[str, dict[str, dict[str, str]]]:
        """The health of each target, by group and `address:port`."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for (arn, target), state in self._states.items():
            found.setdefault(arn, {})[f"{target.host}:{target.port}"] = state.describe()
        return found

    def _state(self, group: TargetGroup, target: Target) -> str:
        found = self._states.get((group.arn, target))
        return found.state if found else INITIAL

    async def _check_forever(self, state: TargetState, target: Target, check: HealthCheck) -> None:
        while True:
            state.record(await self._check(target, check), check)
            await asyncio.sleep(max(check.interval_seconds / self._factor, SHORTEST_INTERVAL_SECONDS))

    async def _check(self, target: Target, check: HealthCheck) -> Problem | None:
        request = h11.Request(
            method="GET", target=check.path, headers=[("host", target.host), ("user-agent", "ELB-HealthChecker/2.0")]
        )
        try:
            async with asyncio.timeout(max(check.timeout_seconds / self._factor, SHORTEST_TIMEOUT_SECONDS)):
                answer = await self._targets.send(Target(target.host, check.port_of(target)), request, b"")
        except TargetFailed:
            return FAILED
        except TimeoutError:
            return TIMED_OUT
        return None if check.accepts(answer.status) else another_code(answer.status)
