"""Startup, readiness and liveness probes of a container."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Self

import httpx

from sandbox.kubernetes.api.objects.kinds import Object


@dataclass(frozen=True)
class Probe:
    """One probe of one container. delay, period, timeout: in seconds.

    path: None for a probe over TCP.
    """

    host: str
    port: int
    path: str | None
    headers: dict[str, str]
    delay: float
    period: float
    timeout: float
    failure_threshold: int
    success_threshold: int

    @classmethod
    def read(cls, spec: Object, container: Object, host: str, time_factor: float) -> Self:
        """The probe of a manifest. Raises ValueError for a probe that is neither httpGet nor tcpSocket."""
        action = spec.get("httpGet") or spec.get("tcpSocket")
        if action is None:
            raise ValueError(f"A probe of {container['name']} has neither httpGet nor tcpSocket: {sorted(spec)}")
        return cls(
            host=action.get("host") or host,
            port=_port(action["port"], container),
            path=action.get("path", "/") if "httpGet" in spec else None,
            headers={header["name"]: header["value"] for header in action.get("httpHeaders") or []},
            delay=spec.get("initialDelaySeconds", 0) / time_factor,
            period=spec["periodSeconds"] / time_factor,
            # Not divided by the time factor: the machine is not faster than in production.
            timeout=float(spec["timeoutSeconds"]),
            failure_threshold=spec["failureThreshold"],
            success_threshold=spec["successThreshold"],
        )

    async def check(self) -> str | None:
        """Probe once. None for a success, otherwise the problem."""
        try:
            return await (self._connect() if self.path is None else self._get(self.path))
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            return f"{type(error).__name__}: {error}"

    async def _get(self, path: str) -> str | None:
        url = f"http://{self.host}:{self.port}{path}"
        headers = {"User-Agent": "kube-probe/1.34", **self.headers}
        response = await _client().get(url, headers=headers, timeout=self.timeout)
        is_success = 200 <= response.status_code < 400
        return None if is_success else f"HTTP probe failed with statuscode: {response.status_code}"

    async def _connect(self) -> None:
        connecting = asyncio.open_connection(self.host, self.port)
        _, writer = await asyncio.wait_for(connecting, self.timeout)
        writer.close()


async def watch(probe: Probe, report: Callable[[bool, str], None]) -> None:
    """Probe without end. Report success or failure, with the last problem, each time a threshold is reached."""
    await asyncio.sleep(probe.delay)
    successes = failures = 0
    while True:
        problem = await probe.check()
        successes, failures = (0, failures + 1) if problem else (successes + 1, 0)
        if successes == probe.success_threshold or failures == probe.failure_threshold:
            report(problem is None, problem or "")
        await asyncio.sleep(probe.period)


@cache
def _client() -> httpx.AsyncClient:
    """One client for all probes, because each new client reads all CA certificates. Each probe opens a connection."""
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def _port(port: int | str, container: Object) -> int:
    named = {item.get("name"): item["containerPort"] for item in container.get("ports") or []}
    return named[port] if isinstance(port, str) and port in named else int(port)
