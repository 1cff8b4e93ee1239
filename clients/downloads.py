"""Files from elsewhere, which are only used when they are the very ones that were reviewed."""

import hashlib

import httpx

from clients.http import TIMEOUT, trusting, unanswered
from delivery.environment import Environment
from delivery.errors import Altered, Unavailable


def download(environment: Environment, url: str, sha256: str) -> str:
    """The text at the URL. Raises Altered, which names both, where its sha256 is another."""
    trust = trusting(environment.tls.ca_bundle)
    with unanswered(url), httpx.Client(verify=trust, timeout=TIMEOUT, follow_redirects=True) as client:
        answer = client.get(url)
    if answer.status_code != httpx.codes.OK:
        raise Unavailable(f"{url} answers HTTP {answer.status_code}.")
    found = hashlib.sha256(answer.content).hexdigest()
    if found != sha256:
        raise Altered(
            f"{url} has sha256 {found}, and {sha256} is pinned. Nothing of it was applied. Find out why it changed, "
            "then pin what you reviewed."
        )
    return answer.text
