"""What one broker says of a topic. librdkafka asks any broker that it has met, so this speaks the protocol itself.

Source: Kafka protocol guide, Metadata request and response, version 4.
"""

import socket
import struct
from dataclasses import dataclass

from sandbox.testing import PATIENCE

METADATA, VERSION = 3, 4
# int16 key, int16 version, int32 correlation, string client; one topic; whether it may be created.
HEADER = struct.Struct("!hhih")


@dataclass
class Answer:
    """A response, read from its start."""

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
    """Whether this very broker, `host:port`, has heard of the topic."""
    answer = Answer(_ask(broker, name))
    answer.at = 8  # correlation id, throttle time
    for _ in range(answer.number("i")):
        answer.skip_broker()
    answer.skip_string()  # cluster id
    answer.at += 4  # controller
    assert answer.number("i") == 1, "one topic was asked for"
    return answer.number("h") == 0


def _ask(broker: str, name: str) -> bytes:
    text = name.encode()
    request = HEADER.pack(METADATA, VERSION, 1, -1) + struct.pack(f"!ih{len(text)}sb", 1, len(text), text, 0)
    host, _, port = broker.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE) as connection, connection.makefile("rwb") as stream:
        stream.write(struct.pack("!i", len(request)) + request)
        stream.flush()
        return stream.read(struct.unpack("!i", stream.read(4))[0])
