"""The load balancer's own view of its targets, by the health checks their target group says."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import h11

from sandbox.load_balancer.configuration import Configuration, HealthCheck, Target, TargetGroup
from sandbox.load_balancer.targets import TargetFailed, Targets

INITIAL, HEALTHY, UNHEALTHY = "initial", "healthy", "unhealthy"
SHORTEST_INTERVAL_SECONDS = 0.2
# A busy machine answers late; a target must not fall out for that.
SHORTEST_TIMEOUT_SECONDS = 1.0


@dataclass
class TargetState:
    """passed and failed: checks in a row. A new target becomes healthy with its first pass, as on AWS."""

    state: str = INITIAL
    passed: int = 0
    failed: int = 0

    def take(self, passed: bool, check: HealthCheck) -> None:
        self.passed, self.failed = (self.passed + 1, 0) if passed else (0, self.failed + 1)
        if (self.state == INITIAL and passed) or self.passed >= check.healthy_threshold:
            self.state = HEALTHY
        elif self.failed >= check.unhealthy_threshold:
            self.state = UNHEALTHY


class TargetHealth:
    """Checks every target of every group in a task of its own, for as long as it is registered."""

    def __init__(self, time_factor: float) -> None:
        self._factor = time_factor
        self._states: dict[tuple[str, Target], TargetState] = {}
        self._tasks: dict[tuple[str, Target], asyncio.Task[None]] = {}
        self._targets = Targets()

    def follow(self, configuration: Configuration) -> None:
        """Begin to check new targets and stop to check those that left."""
        wanted = {(arn, target): group.check for arn, group in configuration.groups.items() for target in group.targets}
        for key in self._tasks.keys() - wanted.keys():
            self._tasks.pop(key).cancel()
            self._states.pop(key)
        for key in wanted.keys() - self._tasks.keys():
            self._states[key] = TargetState()
            self._tasks[key] = asyncio.create_task(self._check_for_ever(self._states[key], key[1], wanted[key]))

    def routable(self, group: TargetGroup) -> Sequence[Target]:
        """The healthy targets; all of them when none is healthy, for then AWS fails open."""
        healthy = [target for target in group.targets if self._state(group, target) == HEALTHY]
        return healthy or group.targets

    def counts(self, group: TargetGroup) -> tuple[int, int]:
        """How many targets are healthy and how many are not."""
        states = [self._state(group, target) for target in group.targets]
        return states.count(HEALTHY), len(states) - states.count(HEALTHY)

    def _state(self, group: TargetGroup, target: Target) -> str:
        found = self._states.get((group.arn, target))
        return found.state if found else INITIAL

    async def _check_for_ever(self, state: TargetState, target: Target, check: HealthCheck) -> None:
        while True:
            state.take(await self._passes(target, check), check)
            await asyncio.sleep(max(check.interval_seconds / self._factor, SHORTEST_INTERVAL_SECONDS))

    async def _passes(self, target: Target, check: HealthCheck) -> bool:
        request = h11.Request(
            method="GET", target=check.path, headers=[("host", target.host), ("user-agent", "ELB-HealthChecker/2.0")]
        )
        try:
            async with asyncio.timeout(max(check.timeout_seconds / self._factor, SHORTEST_TIMEOUT_SECONDS)):
                answer = await self._targets.send(Target(target.host, check.port_of(target)), request, b"")
        except (TargetFailed, TimeoutError):
            return False
        return check.accepts(answer.status)
