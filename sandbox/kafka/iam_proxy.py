"""The IAM listeners of the brokers: a proxy that terminates TLS and checks the MSK token of each client.

In MSK, the brokers check the tokens. The jars of Kafka cannot do this, and a Java class for it would need a compiler.
Each broker has a separate listener that only the proxy uses.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.kafka.tokens import TokenRefused, check_token
from sandbox.kafka.wire import (
    API_VERSIONS,
    MECHANISM,
    SASL_AUTHENTICATE,
    SASL_HANDSHAKE,
    UNSUPPORTED_MECHANISM,
    WRITES,
    BadRequest,
    Request,
    authentication_answer,
    bearer_token,
    handshake_answer,
    mechanism_of,
    read_frame,
    write_frame,
)

ENDED = (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError)


def ignore_writes(state: Path, names: Iterable[str] = ()) -> None:
    """From now on, answer the named requests (`CreateTopics`, ...) at the IAM listeners without executing them."""
    ignored_file(state).write_text(json.dumps(sorted(names)))


def ignored_file(state: Path) -> Path:
    return state / "kafka" / "ignored.json"


@dataclass(frozen=True)
class IamProxy:
    """Authenticates clients and forwards their requests. secret: that of all access keys of the sandbox."""

    state: Path
    region: str
    secret: str

    def open(self, listening: Sequence[str], brokers: Sequence[str]) -> None:
        """Listen at all addresses, then return. Each address forwards to the broker at the same position."""
        opened = threading.Event()
        serving = self._serve(list(zip(listening, brokers, strict=True)), opened)
        threading.Thread(target=asyncio.run, args=(serving,), name="iam-proxy", daemon=True).start()
        if not opened.wait(10):
            raise SystemExit("The IAM listeners of the brokers did not open. The reason is above.")

    async def _serve(self, routes: list[tuple[str, str]], opened: threading.Event) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.state / "ca" / "server.pem", self.state / "ca" / "server.key")
        for address, broker in routes:
            host, _, port = address.rpartition(":")
            await asyncio.start_server(self._connected(broker), host, int(port), ssl=context)
        opened.set()
        await asyncio.Event().wait()

    def _connected(self, broker: str):
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host, _, port = broker.rpartition(":")
            with suppress(*ENDED):
                upstream = await asyncio.open_connection(host, int(port))
                try:
                    await self._serve_client(reader, writer, *upstream)
                finally:
                    upstream[1].close()
            writer.close()

        return connected

    async def _serve_client(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        broker_reader: asyncio.StreamReader,
        broker_writer: asyncio.StreamWriter,
    ) -> None:
        while not await self._authenticated(await self._next(reader), writer, broker_reader, broker_writer):
            await writer.drain()
        answers = asyncio.create_task(_forward_responses(broker_reader, writer))
        try:
            while True:
                write_frame(broker_writer, self._to_forward(await self._next(reader)))
                await broker_writer.drain()
        finally:
            answers.cancel()

    async def _next(self, reader: asyncio.StreamReader) -> Request:
        return Request.parse(await read_frame(reader))

    async def _authenticated(
        self,
        request: Request,
        writer: asyncio.StreamWriter,
        broker_reader: asyncio.StreamReader,
        broker_writer: asyncio.StreamWriter,
    ) -> bool:
        """Answer one request of a client without authentication. True if the client is authenticated now."""
        if request.key == API_VERSIONS:
            write_frame(broker_writer, request.frame)
            write_frame(writer, await read_frame(broker_reader))
            return False
        if request.key == SASL_HANDSHAKE:
            is_known = mechanism_of(request) == MECHANISM
            write_frame(writer, handshake_answer(request, 0 if is_known else UNSUPPORTED_MECHANISM))
            return False
        if request.key != SASL_AUTHENTICATE or request.version > 1:
            raise ConnectionAbortedError("this request needs authentication")
        refusal = self._refusal(request)
        write_frame(writer, authentication_answer(request, refusal))
        return refusal is None

    def _refusal(self, request: Request) -> str | None:
        try:
            check_token(bearer_token(request), self.region, self.secret, datetime.now(UTC))
        except (TokenRefused, BadRequest) as error:
            return f"Access denied: {error}"
        return None

    def _to_forward(self, request: Request) -> bytes:
        is_write = request.key in WRITES.values()
        ignored = read_ignored(self.state) if is_write else ()
        return request.as_validation() if request.key in ignored else request.frame


async def _forward_responses(broker_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(*ENDED):
        while data := await broker_reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def read_ignored(state: Path) -> tuple[int, ...]:
    """The keys of the requests that are ignored now."""
    try:
        return tuple(WRITES[name] for name in json.loads(ignored_file(state).read_text()))
    except FileNotFoundError:
        return ()
