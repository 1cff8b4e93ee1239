"""Routes a request to a rule, a target group and a target, and counts its outcome."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import h11

from sandbox.load_balancer.answers import Answer, fixed_response, own_answer, redirect
from sandbox.load_balancer.configuration import Configuration, Document, TargetGroup
from sandbox.load_balancer.headers import find, forwarded, without_hop_by_hop
from sandbox.load_balancer.health import TargetHealth
from sandbox.load_balancer.metrics import Period
from sandbox.load_balancer.rules import RoutedRequest, choose_group, choose_rule, last_action
from sandbox.load_balancer.targets import TargetFailed, Targets

CLIENT_DISCONNECTED = 460


class NoListener(Exception):
    """No load balancer has a listener for this protocol."""


@dataclass(frozen=True)
class Frontend:
    """The socket of a request. protocol: HTTP or HTTPS. port: the port of the imitated listener."""

    protocol: str
    port: int


class Proxy:
    """Routes requests. `configuration` and `period` return the current objects."""

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

    async def answer(self, frontend: Frontend, client: str, request: h11.Request, body: bytes) -> Answer:
        """The response for the client. If the call is cancelled, the request is counted as unanswered.

        NoListener if elbv2 has no listener for this protocol.
        """
        host = (find(list(request.headers), b"host") or b"").decode("latin-1").partition(":")[0].lower()
        routed = RoutedRequest(request.method.decode(), host, request.target.decode("latin-1"))
        chosen = choose_rule(self._configuration(), frontend.protocol, routed)
        if chosen is None:
            raise NoListener
        listener, rule = chosen
        action = last_action(rule.actions)
        if action["Type"] == "redirect":
            return redirect(action, routed, frontend.protocol, frontend.port)
        if action["Type"] == "fixed-response":
            return fixed_response(action)
        headers = forwarded(list(request.headers), client, frontend.protocol, frontend.port)
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
            self._unanswered(load_balancer, group, CLIENT_DISCONNECTED)
            raise
        self._period().count_answer(load_balancer, group.dimension, found.status, found.seconds)
        return Answer(found.status, without_hop_by_hop(found.headers), found.body)

    def _unanswered(self, load_balancer: str, group: TargetGroup, status: int) -> Answer:
        self._period().count_unanswered(load_balancer, group.dimension, status)
        return own_answer(status if status != CLIENT_DISCONNECTED else 408)
