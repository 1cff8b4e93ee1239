"""The sockets and loops of the data plane."""

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
from sandbox.load_balancer.frontend import ClientConnection
from sandbox.load_balancer.health import TargetHealth
from sandbox.load_balancer.metrics import Period, host_counts, publish
from sandbox.load_balancer.proxy import Frontend, Proxy
from sandbox.processes import announce_ready
from sandbox.settings import SandboxSettings

SECONDS_BETWEEN_POLLS = 0.5
SECONDS_BETWEEN_REPORTS = 0.1
# The endpoint of the imitated AWS that receives the health for DescribeTargetHealth.
REPORTS = "/sandbox/target-health"
# The idle timeout of an Application Load Balancer, not divided by the time factor.
IDLE_SECONDS = 60.0


class DataPlane:
    """The sockets, health checks and metrics of one proxy. The loops run until the process ends."""

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
        await self._listen(Frontend("HTTPS", 443), self._addresses.load_balancer, server_tls(self._state / "ca"))
        await self._listen(Frontend("HTTP", 80), self._addresses.load_balancer_http, None)
        loops = [asyncio.create_task(loop) for loop in (self._follow(), self._publish(), self._report())]
        announce_ready()
        done, _ = await asyncio.wait((*loops, asyncio.create_task(stop.wait())), return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()

    async def _listen(self, frontend: Frontend, address: str, tls: ssl.SSLContext | None) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await ClientConnection(frontend, self._proxy, reader, writer).serve()

        host, port = address.split(":")
        await asyncio.start_server(serve, host, int(port), ssl=tls, backlog=512)

    async def _follow(self) -> None:
        """Follow the configuration of elbv2. If elbv2 cannot be read, the last configuration stays active."""
        elbv2 = client("elbv2", self._addresses, self._settings)
        while True:
            try:
                self._apply(await asyncio.to_thread(read_configuration, elbv2))
            except (BotoCoreError, ClientError) as error:
                print(f"elbv2 could not be read. The last configuration stays active: {error!r}", flush=True)
            await asyncio.sleep(SECONDS_BETWEEN_POLLS)

    def _apply(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._health.follow(configuration)
        registered = {target for group in configuration.groups.values() for target in group.targets}
        for target in self._proxy.targets.known():
            if target not in registered:
                self._proxy.targets.close_idle(target)

    async def _report(self) -> None:
        """Report the health of the targets to AWS when it changes."""
        reported = None
        async with httpx.AsyncClient(base_url=self._addresses.aws, trust_env=False) as http:
            while True:
                if (health := self._health.describe()) != reported:
                    try:
                        (await http.put(REPORTS, json=health)).raise_for_status()
                        reported = health
                    except httpx.HTTPError as error:
                        print(f"The health of the targets was not reported. Retrying: {error!r}", flush=True)
                await asyncio.sleep(SECONDS_BETWEEN_REPORTS)

    async def _publish(self) -> None:
        """Publish the metrics at the end of each period. Periods start at multiples of their length since 1970."""
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
                print(f"The metrics of one period could not be published and are lost: {error!r}", flush=True)

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
