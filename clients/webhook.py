"""Notices to a webhook: one JSON object by POST."""

from collections.abc import Mapping

import httpx
from pydantic import SecretStr

from delivery.errors import Rejected, Unavailable, is_passing

TIMEOUT = httpx.Timeout(10.0)


def post_notice(url: SecretStr, notice: Mapping[str, object], key: str) -> None:
    """Back once the webhook took it, with 2xx.

    key: the same for the same notice, so that a receiver can tell a repetition; sent as Idempotency-Key.
    Raises Unavailable (worth retrying) or Rejected. Neither shows the address, which is a secret.
    """
    try:
        answer = httpx.post(
            url.get_secret_value(),
            json=notice,
            headers={"Idempotency-Key": key},
            timeout=TIMEOUT,
            follow_redirects=False,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The cause names the address, therefore it is not kept.
        raise Unavailable(f"The webhook does not answer ({type(error).__name__}).") from None
    if answer.is_success:
        return
    raise (Unavailable if is_passing(answer.status_code) else Rejected)(f"The webhook answered {answer.status_code}.")
