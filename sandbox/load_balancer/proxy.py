"""One request through the load balancer: from rule to target group to target to answer, counted where it ended."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import h11

from sandbox.load_balancer.answers import Answer, fixed_response, own_answer, redirect
from sandbox.load_balancer.configuration import Configuration, Document, TargetGroup
from sandbox.load_balancer.headers import find, forwarded, passed_on
from sandbox.load_balancer.health import TargetHealth
from sandbox.load_balancer.metrics import Period
from sandbox.load_balancer.rules import Asked, choose_group, choose_rule, last_action
from sandbox.load_balancer.targets import TargetFailed, Targets

CLIENT_WENT = 460


class NoListener(Exception):
    """No load balancer listens with this protocol, so there is nobody to answer."""


@dataclass(frozen=True)
class Front:
    """The socket a request came in by: protocol HTTP or HTTPS, and the port users believe they speak to."""

    protocol: str
    port: int


class Proxy:
    """Routes requests by the configuration of the moment, which `configuration` and `period` give anew each time."""

    def __init__(
        self,
        configuration: Callable[[], Configuration],
        period: Callable[[], Period],
        health: TargetHealth,
        idle_seconds: float,
    ) -> None:
        self._configuration, self._period = configuration, period
        self._health, self._idle_seconds = health, idle_seconds
        self._chance = random.Random()
        self.targets = Targets()

    async def answer(self, front: Front, client: str, request: h11.Request, body: bytes) -> Answer:
        """The answer for the client. When cancelled, for the client went away, the request is counted as unanswered.

        NoListener where elbv2 has none for this protocol.
        """
        host = (find(list(request.headers), b"host") or b"").decode("latin-1").partition(":")[0].lower()
        asked = Asked(request.method.decode(), host, request.target.decode("latin-1"))
        chosen = choose_rule(self._configuration(), front.protocol, asked)
        if chosen is None:
            raise NoListener
        listener, rule = chosen
        action = last_action(rule.actions)
        if action["Type"] == "redirect":
            return redirect(action, asked, front.protocol, front.port)
        if action["Type"] == "fixed-response":
            return fixed_response(action)
        headers = forwarded(list(request.headers), client, front.protocol, front.port)
        onward = h11.Request(method=request.method, target=request.target, headers=headers)
        return await self._forward(listener.load_balancer, action, onward, body)

    async def _forward(self, load_balancer: str, action: Document, request: h11.Request, body: bytes) -> Answer:
        arn = choose_group(action, self._chance)
        group = self._configuration().groups.get(arn) if arn else None
        if group is None or not group.targets:
            self._period().count_own(load_balancer, 503)
            return own_answer(503)
        return await self._send(load_balancer, group, request, body)

    async def _send(self, load_balancer: str, group: TargetGroup, request: h11.Request, body: bytes) -> Answer:
        target = self._chance.choice(self._health.routable(group))
        try:
            async with asyncio.timeout(self._idle_seconds):
                found = await self.targets.send(target, request, body)
        except TargetFailed:
            return self._unanswered(load_balancer, group, 502)
        except TimeoutError:
            return self._unanswered(load_balancer, group, 504)
        except asyncio.CancelledError:
            self._unanswered(load_balancer, group, CLIENT_WENT)
            raise
        self._period().count_answer(load_balancer, group.dimension, found.status, found.seconds)
        return Answer(found.status, passed_on(found.headers), found.body)

    def _unanswered(self, load_balancer: str, group: TargetGroup, status: int) -> Answer:
        self._period().count_unanswered(load_balancer, group.dimension, status)
        return own_answer(status if status != CLIENT_WENT else 408)
