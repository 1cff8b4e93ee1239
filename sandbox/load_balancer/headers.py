"""The headers a load balancer adds, and those that concern one connection only."""

import secrets
import time

Headers = list[tuple[bytes, bytes]]

OF_ONE_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)


def find(headers: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key.lower() == name), None)


def passed_on(headers: Headers) -> Headers:
    return [(key, value) for key, value in headers if key.lower() not in OF_ONE_CONNECTION]


def forwarded(headers: Headers, client: str, protocol: str, port: int) -> Headers:
    """The request's headers as the target gets them."""
    added = {
        b"x-forwarded-for": _appended(find(headers, b"x-forwarded-for"), client),
        b"x-forwarded-proto": protocol.lower().encode(),
        b"x-forwarded-port": str(port).encode(),
        b"x-amzn-trace-id": trace_id(find(headers, b"x-amzn-trace-id")),
    }
    kept = [(key, value) for key, value in passed_on(headers) if key.lower() not in added]
    return [*kept, *added.items()]


def _appended(before: bytes | None, client: str) -> bytes:
    return client.encode() if before is None else before + b", " + client.encode()


def trace_id(before: bytes | None) -> bytes:
    """A root is made where there is none; one that is there stays, with our own part in front of it."""
    own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}".encode()
    if before is None:
        return b"Root=" + own
    if b"Root=" in before:
        return b"Self=" + own + b";" + before
    return b"Root=" + own + b";" + before
