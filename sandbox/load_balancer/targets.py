"""Sends requests to targets over persistent connections."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field

import h11

from sandbox.load_balancer.configuration import Target
from sandbox.load_balancer.headers import Headers

CHUNK = 65536
SECONDS_TO_CONNECT = 2.0
IDLE_KEPT = 32


class TargetFailed(Exception):
    """The target refused or closed the connection, or did not answer with HTTP."""


@dataclass(frozen=True)
class TargetAnswer:
    """seconds: from sending the request to the head of the response."""

    status: int
    headers: Headers
    body: bytes
    seconds: float


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    protocol: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    def is_usable(self) -> bool:
        return not self.reader.at_eof() and not self.writer.is_closing()

    async def next_event(self) -> h11.Event:
        while (event := self.protocol.next_event()) is h11.NEED_DATA:
            self.protocol.receive_data(await self.reader.read(CHUNK))
        if not isinstance(event, h11.Event):
            raise TargetFailed("the target closed the connection during a response")
        return event


class Targets:
    """Sends requests to targets. A request is never sent twice, because it may have had its effect."""

    def __init__(self) -> None:
        self._idle: defaultdict[Target, list[Connection]] = defaultdict(list)

    async def send(self, target: Target, request: h11.Request, body: bytes) -> TargetAnswer:
        """The response of the target. TargetFailed if there is none. The caller sets the time limit."""
        try:
            connection = await self._connection(target)
        except (OSError, TimeoutError) as error:
            raise TargetFailed(f"{target.host}:{target.port} did not accept a connection") from error
        try:
            answer = await exchange(connection, request, body)
        except (OSError, h11.RemoteProtocolError) as error:
            connection.writer.close()
            raise TargetFailed(f"{target.host}:{target.port} closed the connection") from error
        except BaseException:
            connection.writer.close()
            raise
        self._keep(target, connection)
        return answer

    def close_idle(self, target: Target) -> None:
        """Close the idle connections to a target."""
        for connection in self._idle.pop(target, ()):
            connection.writer.close()

    def known(self) -> list[Target]:
        return list(self._idle)

    async def _connection(self, target: Target) -> Connection:
        while idle := self._idle[target]:
            connection = idle.pop()
            if connection.is_usable():
                return connection
            connection.writer.close()
        async with asyncio.timeout(SECONDS_TO_CONNECT):
            return Connection(*await asyncio.open_connection(target.host, target.port))

    def _keep(self, target: Target, connection: Connection) -> None:
        states = connection.protocol.states
        if states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE} and len(self._idle[target]) < IDLE_KEPT:
            connection.protocol.start_next_cycle()
            self._idle[target].append(connection)
        else:
            connection.writer.close()


async def exchange(connection: Connection, request: h11.Request, body: bytes) -> TargetAnswer:
    started = time.perf_counter()
    protocol = connection.protocol
    parts = [protocol.send(request), protocol.send(h11.Data(body)) if body else b"", protocol.send(h11.EndOfMessage())]
    connection.writer.write(b"".join(part for part in parts if part))
    head = await connection.next_event()
    while isinstance(head, h11.InformationalResponse):
        head = await connection.next_event()
    if not isinstance(head, h11.Response):
        raise TargetFailed("the target did not answer with a response")
    seconds = time.perf_counter() - started
    return TargetAnswer(head.status_code, list(head.headers), await read_body(connection), seconds)


async def read_body(connection: Connection) -> bytes:
    chunks: list[bytes] = []
    while isinstance(event := await connection.next_event(), h11.Data):
        chunks.append(bytes(event.data))
    return b"".join(chunks)
