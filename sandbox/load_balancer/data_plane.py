"""The sockets and loops of the load balancers' data plane."""

import asyncio
import signal
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.addresses import Addresses
from sandbox.aws.client import client
from sandbox.load_balancer.configuration import Configuration, read_configuration
from sandbox.load_balancer.front import ClientConnection
from sandbox.load_balancer.health import TargetHealth
from sandbox.load_balancer.metrics import Period, host_counts, publish
from sandbox.load_balancer.proxy import Front, Proxy
from sandbox.processes import announce_ready
from sandbox.settings import SandboxSettings

SECONDS_BETWEEN_POLLS = 0.5
SECONDS_BETWEEN_REPORTS = 0.1
# Where the sandbox's AWS learns what DescribeTargetHealth has to tell.
REPORTS = "/sandbox/target-health"
# The idle timeout of an Application Load Balancer before it is divided by the sandbox's factor.
IDLE_SECONDS = 60.0


class DataPlane:
    """Sockets, health checks and metrics around one proxy; its loops end with the process."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._addresses, self._settings = Addresses.read(state), SandboxSettings.read(state)
        self._configuration, self._period = Configuration(), Period()
        self._health = TargetHealth(self._settings.time_factor)
        self._proxy = Proxy(
            lambda: self._configuration,
            lambda: self._period,
            self._health,
            IDLE_SECONDS / self._settings.time_factor,
        )

    async def run(self) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await self._listen(Front("HTTPS", 443), self._addresses.load_balancer, server_tls(self._state / "ca"))
        await self._listen(Front("HTTP", 80), self._addresses.load_balancer_http, None)
        loops = [asyncio.create_task(loop) for loop in (self._follow(), self._publish(), self._report())]
        announce_ready()
        done, _ = await asyncio.wait((*loops, asyncio.create_task(stop.wait())), return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()

    async def _listen(self, front: Front, address: str, tls: ssl.SSLContext | None) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await ClientConnection(front, self._proxy, reader, writer).serve()

        host, port = address.split(":")
        await asyncio.start_server(serve, host, int(port), ssl=tls, backlog=512)

    async def _follow(self) -> None:
        """Keep to what elbv2 says; while it cannot be asked, to what it said last."""
        elbv2 = client("elbv2", self._addresses, self._settings)
        while True:
            try:
                self._take(await asyncio.to_thread(read_configuration, elbv2))
            except (BotoCoreError, ClientError) as error:
                print(f"elbv2 could not be asked, its last answer stays in force: {error!r}", flush=True)
            await asyncio.sleep(SECONDS_BETWEEN_POLLS)

    def _take(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._health.follow(configuration)
        registered = {target for group in configuration.groups.values() for target in group.targets}
        for target in self._proxy.targets.known():
            if target not in registered:
                self._proxy.targets.forget(target)

    async def _report(self) -> None:
        """Tell AWS how the targets are, whenever that changed."""
        told = None
        async with httpx.AsyncClient(base_url=self._addresses.aws, trust_env=False) as http:
            while True:
                if (seen := self._health.describe()) != told:
                    try:
                        (await http.put(REPORTS, json=seen)).raise_for_status()
                        told = seen
                    except httpx.HTTPError as error:
                        print(f"how the targets are could not be told and is told again: {error!r}", flush=True)
                await asyncio.sleep(SECONDS_BETWEEN_REPORTS)

    async def _publish(self) -> None:
        """At the end of each period, a multiple of its length since 1970, say what was counted in it."""
        cloudwatch = client("cloudwatch", self._addresses, self._settings)
        length = self._settings.metric_period_seconds
        while True:
            start = int(time.time()) // length * length
            await asyncio.sleep(start + length - time.time())
            closed, self._period = self._period, Period()
            data = self._metric_data(closed, datetime.fromtimestamp(start, UTC))
            try:
                await asyncio.to_thread(publish, cloudwatch, data)
            except (BotoCoreError, ClientError) as error:
                print(f"the metrics of one period were not published and are lost: {error!r}", flush=True)

    def _metric_data(self, period: Period, start: datetime) -> list[dict[str, Any]]:
        data = period.metric_data(start)
        for load_balancer, group in self._configuration.used_groups():
            data += host_counts(load_balancer, group.dimension, *self._health.counts(group), start)
        return data


def server_tls(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    context.set_alpn_protocols(["http/1.1"])
    return context
