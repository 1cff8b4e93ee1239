"""Sends the requests of the users to the load balancer and counts the responses."""

import asyncio
import random
import ssl
import time
from pathlib import Path

import httpx

from sandbox.addresses import Addresses
from sandbox.settings import SandboxSettings
from sandbox.traffic.tally import Tally
from sandbox.traffic.users import API, UserRequest, Users

TIMEOUT_SECONDS = 5.0
SECONDS_BETWEEN_WRITES = 1.0
SECONDS_TO_FINISH = 2.0
MAX_CONCURRENT = 300
LIMITS = httpx.Limits(max_connections=MAX_CONCURRENT, max_keepalive_connections=50)
PROBE = UserRequest("GET", API, "/api/products")


class Generator:
    """Waits until the site answers for the first time, then sends requests, whatever the responses are."""

    def __init__(self, state: Path) -> None:
        self._file = state / "traffic.json"
        self._address = Addresses.read(state).load_balancer
        self._rate = SandboxSettings.read(state).requests_per_second
        self._users, self._tally = Users(random.Random()), Tally()
        trust = ssl.create_default_context(cafile=str(state / "ca" / "ca.pem"))
        self._client = httpx.AsyncClient(verify=trust, timeout=TIMEOUT_SECONDS, limits=LIMITS, trust_env=False)
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send requests until `stop`. Write the totals each second and at the end."""
        loops = [asyncio.create_task(loop) for loop in (self._send_requests(), self._write_totals())]
        await asyncio.wait((*loops, asyncio.create_task(stop.wait())), return_when=asyncio.FIRST_COMPLETED)
        for loop in loops:
            loop.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=SECONDS_TO_FINISH)
        self._tally.write(self._file)
        for loop in loops:
            # If a loop ended by itself, its error is raised here.
            if loop.done() and not loop.cancelled():
                loop.result()

    async def _send_requests(self) -> None:
        while not await self._is_installed():
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
        due = time.monotonic()
        while True:
            due += self._users.seconds_to_next(self._rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if len(self._under_way) < MAX_CONCURRENT:
                self._begin(self._users.next_request())

    async def _is_installed(self) -> bool:
        """Whether a pod answers. Responses before the first installation are not counted."""
        try:
            answer = await self._send(PROBE)
        except httpx.HTTPError:
            return False
        return answer.is_success and "X-Served-By" in answer.headers

    def _begin(self, request: UserRequest) -> None:
        self._tally.sent += 1
        task = asyncio.create_task(self._count(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _count(self, request: UserRequest) -> None:
        started = time.perf_counter()
        try:
            answer = await self._send(request)
        except httpx.HTTPError as error:
            self._tally.count(None, type(error).__name__, time.perf_counter() - started)
        else:
            pod, status = answer.headers.get("X-Served-By"), str(answer.status_code)
            self._tally.count(pod, status, time.perf_counter() - started)

    async def _send(self, request: UserRequest) -> httpx.Response:
        # The connection goes to the load balancer without DNS. Host header and TLS name are those of the site.
        return await self._client.request(
            request.method,
            f"https://{self._address}{request.path}",
            content=request.body,
            headers={"Host": request.host, **request.headers},
            extensions={"sni_hostname": request.host},
        )

    async def _write_totals(self) -> None:
        while True:
            self._tally.write(self._file)
            await asyncio.sleep(SECONDS_BETWEEN_WRITES)
