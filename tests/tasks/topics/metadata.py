"""Reads the metadata of a topic from one specific broker. librdkafka reads it from any broker.

Source: Kafka protocol guide, Metadata request and response, version 4.
"""

import socket
import struct
from dataclasses import dataclass

from sandbox.testing import PATIENCE

METADATA, VERSION = 3, 4
# int16 API key, int16 API version, int32 correlation id, string client id. The body has one topic, and whether the
# request may create it.
HEADER = struct.Struct("!hhih")


@dataclass
class Response:
    """A response that is read from its start."""

    data: bytes
    at: int = 0

    def number(self, kind: str) -> int:
        size = struct.calcsize(f"!{kind}")
        self.at += size
        return struct.unpack_from(f"!{kind}", self.data, self.at - size)[0]

    def skip_string(self) -> None:
        size = self.number("h")
        self.at += max(size, 0)

    def skip_broker(self) -> None:
        self.at += 4
        self.skip_string()
        self.at += 4
        self.skip_string()


def knows_topic(broker: str, name: str) -> bool:
    """Whether this broker knows the topic. broker: `host:port`."""
    response = Response(_request(broker, name))
    response.at = 8  # correlation id, throttle time
    for _ in range(response.number("i")):
        response.skip_broker()
    response.skip_string()  # cluster id
    response.at += 4  # controller
    assert response.number("i") == 1, "the request names one topic"
    return response.number("h") == 0


def _request(broker: str, name: str) -> bytes:
    text = name.encode()
    request = HEADER.pack(METADATA, VERSION, 1, -1) + struct.pack(f"!ih{len(text)}sb", 1, len(text), text, 0)
    host, _, port = broker.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection, connection.makefile("rwb") as stream:
        stream.write(struct.pack("!i", len(request)) + request)
        stream.flush()
        return stream.read(struct.unpack("!i", stream.read(4))[0])
