"""Notifications to a webhook: one JSON object by POST."""

from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from delivery.errors import Rejected, Unavailable, is_transient

TIMEOUT = httpx.Timeout(10.0)


def post_notice(url: SecretStr, notice: Mapping[str, object], key: str) -> None:
    """Send a notification. The webhook accepts it with a status 2xx.

    key: the same for each attempt, so that a receiver can detect a repetition; sent as Idempotency-Key.
    Raises Unavailable (worth retrying) or Rejected. Neither contains the address, which is a secret.
    """
    try:
        response = httpx.post(
            url.get_secret_value(),
            json=notice,
            headers={"Idempotency-Key": key},
            timeout=TIMEOUT,
            follow_redirects=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # Without the cause, because it contains the address.
        raise Unavailable(f"The webhook does not answer ({type(error).__name__}).") from None
    if response.is_success:
        return
    error = Unavailable if is_transient(response.status_code) else Rejected
    raise error(f"The webhook answered {response.status_code}.")
