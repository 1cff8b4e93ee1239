"""The connections of clients: reads HTTP/1.1 requests, passes them to the proxy, and writes the responses."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import h11

from sandbox.load_balancer.answers import Answer, own_answer
from sandbox.load_balancer.headers import Headers
from sandbox.load_balancer.proxy import Frontend, NoListener, Proxy

CHUNK = 65536
LARGEST_BODY = 8 * 1024 * 1024
SECONDS_KEPT_OPEN = 60.0


class BodyTooLarge(Exception):
    """The body of the request is larger than the load balancer accepts."""


class ClientDisconnected(Exception):
    """The client closed the connection before it got its response."""


class ClientConnection:
    """One connection of a client. `serve` returns when either side closes it."""

    def __init__(
        self, frontend: Frontend, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._frontend, self._proxy, self._reader, self._writer = frontend, proxy, reader, writer
        self._protocol = h11.Connection(h11.SERVER)
        self._client = str(writer.get_extra_info("peername")[0])

    async def serve(self) -> None:
        try:
            while await self._serve_one():
                self._protocol.start_next_cycle()
        except h11.RemoteProtocolError:
            await self._refuse(400)
        except BodyTooLarge:
            await self._refuse(413)
        except (OSError, TimeoutError, ClientDisconnected, NoListener):
            # The client disconnected or is idle, or there is no listener: no response is possible.
            return
        finally:
            self._writer.close()

    async def _serve_one(self) -> bool:
        """Answer one request. False if the connection is over."""
        async with asyncio.timeout(SECONDS_KEPT_OPEN):
            event = await self._next_event()
            if not isinstance(event, h11.Request):
                return False
            body = await self._read_body()
        answer = await self._while_client_waits(self._proxy.answer(self._frontend, self._client, event, body))
        await self._write(answer)
        return self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE

    async def _next_event(self) -> Any:
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            if self._protocol.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[]))
            self._protocol.receive_data(await self._reader.read(CHUNK))
        return event

    async def _read_body(self) -> bytes:
        body = bytearray()
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > LARGEST_BODY:
                raise BodyTooLarge
        return bytes(body)

    async def _while_client_waits(self, answering: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for the answer. ClientDisconnected, which also cancels the request, if the client disconnects first."""
        answer = asyncio.ensure_future(answering)
        try:
            while not answer.done():
                await self._listen_until(answer)
        finally:
            answer.cancel()
        return answer.result()

    async def _listen_until(self, answer: "asyncio.Future[Answer]") -> None:
        """Wait for the answer, or for bytes from the client, which belong to its next request."""
        received = asyncio.ensure_future(self._reader.read(CHUNK))
        try:
            await asyncio.wait((answer, received), return_when=asyncio.FIRST_COMPLETED)
            if not received.done():
                return
            if not received.result():
                raise ClientDisconnected
            self._protocol.receive_data(received.result())
        finally:
            received.cancel()
            # No other code may read before it has really ended.
            await asyncio.wait((received,))

    async def _write(self, answer: Answer) -> None:
        headers: Headers = [pair for pair in answer.headers if pair[0].lower() != b"content-length"]
        headers.append((b"content-length", str(len(answer.body)).encode()))
        self._send(h11.Response(status_code=answer.status, headers=headers), h11.Data(answer.body), h11.EndOfMessage())
        await self._writer.drain()

    async def _refuse(self, status: int) -> None:
        if self._protocol.our_state is h11.SEND_RESPONSE or self._protocol.our_state is h11.IDLE:
            await self._write(own_answer(status))

    def _send(self, *events: h11.Event) -> None:
        self._writer.write(b"".join(self._protocol.send(event) or b"" for event in events))
