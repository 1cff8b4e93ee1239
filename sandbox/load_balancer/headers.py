"""The headers that a load balancer adds, and the hop-by-hop headers that it removes."""

import secrets
import time

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)


def find(headers: Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key.lower() == name), None)


def without_hop_by_hop(headers: Headers) -> Headers:
    return [(key, value) for key, value in headers if key.lower() not in HOP_BY_HOP]


def forwarded(headers: Headers, client: str, protocol: str, port: int) -> Headers:
    """The headers of the request that the target gets."""
    added = {
        b"x-forwarded-for": _appended(find(headers, b"x-forwarded-for"), client),
        b"x-forwarded-proto": protocol.lower().encode(),
        b"x-forwarded-port": str(port).encode(),
        b"x-amzn-trace-id": trace_id(find(headers, b"x-amzn-trace-id")),
    }
    kept = [(key, value) for key, value in without_hop_by_hop(headers) if key.lower() not in added]
    return [*kept, *added.items()]


def _appended(before: bytes | None, client: str) -> bytes:
    return client.encode() if before is None else before + b", " + client.encode()


def trace_id(before: bytes | None) -> bytes:
    """Add a root if there is none. An existing root stays, with the load balancer's own part before it."""
    own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}".encode()
    if before is None:
        return b"Root=" + own
    if b"Root=" in before:
        return b"Self=" + own + b";" + before
    return b"Root=" + own + b";" + before
