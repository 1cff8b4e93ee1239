import re

import pytest

from sandbox.load_balancer.headers import find, forwarded, trace_id


def test_a_request_without_a_trace_gets_a_root() -> None:
    assert re.fullmatch(rb"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace_id(None))


def test_an_existing_root_stays_with_its_sampling_decision() -> None:
    assert trace_id(b"Root=1-00000000-0;Sampled=1").endswith(b";Root=1-00000000-0;Sampled=1")


@pytest.mark.parametrize(("before", "after"), [(None, b"10.0.0.9"), (b"192.0.2.1", b"192.0.2.1, 10.0.0.9")])
def test_the_client_is_appended_to_x_forwarded_for(before: bytes | None, after: bytes) -> None:
    headers = [] if before is None else [(b"x-forwarded-for", before)]
    assert find(forwarded(headers, "10.0.0.9", "HTTPS", 443), b"x-forwarded-for") == after


def test_hop_by_hop_headers_are_removed() -> None:
    headers = forwarded([(b"connection", b"close"), (b"accept", b"*/*")], "10.0.0.9", "HTTPS", 443)
    assert find(headers, b"connection") is None
    assert find(headers, b"accept") == b"*/*"


def test_the_protocol_header_of_a_client_is_replaced() -> None:
    headers = forwarded([(b"x-forwarded-proto", b"http")], "10.0.0.9", "HTTPS", 443)
    assert [value for name, value in headers if name == b"x-forwarded-proto"] == [b"https"]
