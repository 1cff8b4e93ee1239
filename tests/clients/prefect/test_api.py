"""Each error response of the Prefect server is translated to one DeliveryError."""

import httpx
import pytest

from clients.prefect.api import translated
from delivery.errors import Conflict, DeliveryError, NotFound, Rejected, Unavailable

URL = "http://127.0.0.1:4200/api"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, NotFound),
        (409, Conflict),
        (422, Rejected),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_status_of_the_prefect_server_has_its_error(status: int, kind: type[DeliveryError]) -> None:
    server = httpx.MockTransport(lambda _: httpx.Response(status, json={"detail": "the reason"}))
    with (
        httpx.Client(transport=server, base_url=URL) as http,
        pytest.raises(DeliveryError) as raised,
        translated("reading the run", URL),
    ):
        http.get("/flow_runs/1").raise_for_status()
    assert type(raised.value) is kind
    assert str(raised.value) == f"The Prefect server answered {status} while reading the run: the reason"
