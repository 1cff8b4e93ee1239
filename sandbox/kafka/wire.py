"""The part of the Kafka protocol that the IAM proxy needs."""

import asyncio
import struct
from dataclasses import dataclass

API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
# Requests with the field `validate_only` at the end. If it is set, a broker answers without executing the request.
WRITES = {"CreateTopics": 19, "CreatePartitions": 37, "IncrementalAlterConfigs": 44}
# From these versions on, a count of tagged fields follows. The clients of Kafka send no tagged fields.
TAGGED_SINCE = {19: 5, 37: 2, 44: 1}
UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 33, 58
MECHANISM = "OAUTHBEARER"


class BadRequest(Exception):
    """The request is not valid. The connection is closed."""


@dataclass(frozen=True)
class Request:
    """One request. body: what follows the header, for SASL requests. frame: the whole request without its size."""

    key: int
    version: int
    correlation: int
    body: bytes
    frame: bytes

    @classmethod
    def parse(cls, frame: bytes) -> "Request":
        try:
            key, version, correlation, client = struct.unpack_from(">hhih", frame)
        except struct.error as error:
            raise BadRequest("not a request of the Kafka protocol") from error
        return cls(key, version, correlation, frame[10 + max(client, 0) :], frame)

    def as_validation(self) -> bytes:
        """The same request with `validate_only`."""
        place = -2 if self.version >= TAGGED_SINCE[self.key] else -1
        changed = bytearray(self.frame)
        changed[place] = 1
        return bytes(changed)


async def read_frame(reader: asyncio.StreamReader) -> bytes:
    """The next request or response. IncompleteReadError if the connection ends."""
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def write_frame(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)


def mechanism_of(handshake: Request) -> str:
    return _text(handshake.body)


def bearer_token(authentication: Request) -> str:
    """The token in the first message of an OAUTHBEARER client. BadRequest if there is none."""
    (size,) = struct.unpack_from(">i", authentication.body)
    message = authentication.body[4 : 4 + size].decode(errors="replace")
    for field in message.split("\x01"):
        if field.startswith("auth=Bearer "):
            return field.removeprefix("auth=Bearer ")
    raise BadRequest("the message of the client contains no bearer token")


def handshake_answer(request: Request, error: int = 0) -> bytes:
    return struct.pack(">ihi", request.correlation, error, 1) + _string(MECHANISM)


def authentication_answer(request: Request, refusal: str | None = None) -> bytes:
    """Accept the client, or reject it with a reason."""
    error = AUTHENTICATION_FAILED if refusal else 0
    lifetime = struct.pack(">q", 0) if request.version >= 1 else b""
    return struct.pack(">ih", request.correlation, error) + _string(refusal) + struct.pack(">i", 0) + lifetime


def _string(text: str | None) -> bytes:
    encoded = (text or "").encode()
    return struct.pack(">h", -1 if text is None else len(encoded)) + encoded


def _text(body: bytes) -> str:
    (size,) = struct.unpack_from(">h", body)
    return body[2 : 2 + size].decode()
