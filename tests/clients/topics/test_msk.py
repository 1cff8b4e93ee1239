"""Configurations as the topic API accepts and returns them."""

import base64

import pytest

from clients.topics.msk import decode_configuration, encode_configuration
from delivery.errors import Rejected

CONFIGURATION = {"retention.ms": "604800000", "compression.type": "gzip"}


def test_a_configuration_is_encoded_as_base64_of_json() -> None:
    text = base64.b64decode(encode_configuration(CONFIGURATION)).decode()
    assert text == '{"compression.type": "gzip", "retention.ms": "604800000"}'


@pytest.mark.parametrize(
    "text",
    [
        '{"retention.ms": "604800000", "compression.type": "gzip"}',
        '{"retention.ms": 604800000, "compression.type": "gzip"}',
        "retention.ms=604800000\ncompression.type=gzip\n",
        "# returned by AWS\nretention.ms = 604800000\ncompression.type = gzip",
    ],
)
def test_json_and_lines_are_both_read(text: str) -> None:
    assert decode_configuration(base64.b64encode(text.encode()).decode()) == CONFIGURATION


def test_an_empty_text_is_an_empty_configuration() -> None:
    assert decode_configuration("") == {}


def test_text_that_is_not_base64_is_refused() -> None:
    with pytest.raises(Rejected, match="not base64"):
        decode_configuration("retention.ms=1")
