"""Accepts the token of the administrator's kubeconfig, and EKS tokens that AWS STS accepts."""

import base64
import binascii
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx

from sandbox.kubernetes.api.objects.errors import unauthorized
from sandbox.kubernetes.clock import now

EKS_PREFIX = "k8s-aws-v1."
TRUSTED_SECONDS = 60.0


class Authenticator:
    """Accepts the administrator's token, or a presigned GetCallerIdentity URL that this AWS answers with 200.

    As EKS does, it calls the token's URL with the cluster's name in a header, and accepts the token for a minute.
    lifetime: seconds after its signing for which a token is valid, regardless of the expiry in the URL.
    """

    def __init__(self, admin_token: str, aws: str, cluster: str, lifetime: float) -> None:
        self._admin_token = admin_token
        self._aws = urlsplit(aws)
        self._cluster = cluster
        self._lifetime = timedelta(seconds=lifetime)
        self._trusted_until: dict[str, float] = {}

    async def check(self, header: str) -> None:
        """Raise 401 if the Authorization header contains no valid token."""
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise unauthorized()
        if token == self._admin_token:
            return
        url = self._presigned_url(token)
        if time.monotonic() < self._trusted_until.get(token, 0.0):
            return
        await self._call_aws(url)
        self._trusted_until[token] = time.monotonic() + TRUSTED_SECONDS

    def _presigned_url(self, token: str) -> str:
        encoded = token.removeprefix(EKS_PREFIX)
        if encoded == token:
            raise unauthorized()
        try:
            url = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise unauthorized() from error
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        if (parts.scheme, parts.netloc) != self._aws[:2] or query.get("Action") != ["GetCallerIdentity"]:
            raise unauthorized()
        if now() - _signed_at(query) > self._lifetime:
            raise unauthorized()
        return url

    async def _call_aws(self, url: str) -> None:
        try:
            async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
                response = await client.get(url, headers={"x-k8s-aws-id": self._cluster})
        except httpx.HTTPError as error:
            raise unauthorized() from error
        if response.status_code != httpx.codes.OK:
            raise unauthorized()


def _signed_at(query: dict[str, list[str]]) -> datetime:
    try:
        return datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except (KeyError, ValueError) as error:
        raise unauthorized() from error
