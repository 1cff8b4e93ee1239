"""Probes: asking a container, again and again, whether it started, is ready, or lives."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Self

import httpx

from sandbox.kubernetes.api.kinds import Object


@dataclass(frozen=True)
class Probe:
    """One probe of one container. delay, period and timeout are in seconds of the sandbox."""

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
        """The probe of a manifest; a check over HTTP has a path, one over TCP none."""
        action = spec.get("httpGet") or spec.get("tcpSocket")
        if action is None:
            raise ValueError(f"a probe of {container['name']} has neither httpGet nor tcpSocket: {sorted(spec)}")
        return cls(
            host=action.get("host") or host,
            port=_port(action["port"], container),
            path=action.get("path", "/") if "httpGet" in spec else None,
            headers={header["name"]: header["value"] for header in action.get("httpHeaders") or []},
            delay=spec.get("initialDelaySeconds", 0) / time_factor,
            period=spec["periodSeconds"] / time_factor,
            # Not divided: it allows for the machine, which is not faster here than elsewhere.
            timeout=float(spec["timeoutSeconds"]),
            failure_threshold=spec["failureThreshold"],
            success_threshold=spec["successThreshold"],
        )

    async def check(self) -> str | None:
        """Ask once: None for a good answer, otherwise what was wrong."""
        try:
            return await (self._connect() if self.path is None else self._get(self.path))
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            return f"{type(error).__name__}: {error}"

    async def _get(self, path: str) -> str | None:
        url = f"http://{self.host}:{self.port}{path}"
        headers = {"User-Agent": "kube-probe/1.34", **self.headers}
        answer = await _client().get(url, headers=headers, timeout=self.timeout)
        is_good = 200 <= answer.status_code < 400
        return None if is_good else f"HTTP probe failed with statuscode: {answer.status_code}"

    async def _connect(self) -> None:
        connecting = asyncio.open_connection(self.host, self.port)
        _, writer = await asyncio.wait_for(connecting, self.timeout)
        writer.close()


async def watch(probe: Probe, report: Callable[[bool, str], None]) -> None:
    """Ask for ever; report each change that the thresholds make: well or not, and the last complaint."""
    await asyncio.sleep(probe.delay)
    successes = failures = 0
    while True:
        complaint = await probe.check()
        successes, failures = (0, failures + 1) if complaint else (successes + 1, 0)
        if successes == probe.success_threshold or failures == probe.failure_threshold:
            report(complaint is None, complaint or "")
        await asyncio.sleep(probe.period)


@cache
def _client() -> httpx.AsyncClient:
    """One for all probes, since making one reads every certificate of the machine; each probe still connects anew."""
    return httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))


def _port(port: int | str, container: Object) -> int:
    named = {item.get("name"): item["containerPort"] for item in container.get("ports") or []}
    return named[port] if isinstance(port, str) and port in named else int(port)
