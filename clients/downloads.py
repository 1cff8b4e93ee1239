"""Downloaded files. They are used only if they are the files that were reviewed."""

import hashlib

import httpx

from clients.http import TIMEOUT, create_ssl_context, translated
from delivery.environment import Environment
from delivery.errors import Altered, Unavailable


def download(environment: Environment, url: str, sha256: str) -> str:
    """The text at the URL. Raises Altered if its SHA-256 is not the pinned one."""
    trust = create_ssl_context(environment.tls.ca_bundle)
    with translated(url), httpx.Client(verify=trust, timeout=TIMEOUT, follow_redirects=True) as client:
        response = client.get(url)
    if response.status_code != httpx.codes.OK:
        raise Unavailable(f"{url} answers HTTP {response.status_code}.")
    found = hashlib.sha256(response.content).hexdigest()
    if found != sha256:
        raise Altered(
            f"{url} has SHA-256 {found}, but {sha256} is pinned. Nothing of it was applied. Find out why the file "
            "changed, then pin the file that you reviewed."
        )
    return response.text
