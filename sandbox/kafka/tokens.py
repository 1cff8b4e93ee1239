"""The tokens of MSK clients: signed URLs for the action kafka-cluster:Connect."""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, urlsplit

SERVICE = "kafka-cluster"
ACTION = f"{SERVICE}:Connect"
LONGEST = timedelta(minutes=15)
CLOCK_SKEW = timedelta(minutes=5)
# The signer adds User-Agent after signing. The signature does not cover itself.
UNSIGNED = ("User-Agent", "X-Amz-Signature")


class TokenRefused(Exception):
    """The token is not valid. The message has the reason."""


def check_token(token: str, region: str, secret: str, now: datetime) -> str:
    """The access key of the token. TokenRefused unless it is for this region, not expired and correctly signed."""
    url = urlsplit(_decode(token))
    query = dict(parse_qsl(url.query))
    if url.hostname != f"kafka.{region}.amazonaws.com" or query.get("Action") != ACTION:
        raise TokenRefused(f"the token is not for {ACTION} in {region}")
    access_key, _, scope = query.get("X-Amz-Credential", "").partition("/")
    if scope.split("/")[1:] != [region, SERVICE, "aws4_request"]:
        raise TokenRefused(f"the token's credential scope is {scope}")
    _check_time(query, now)
    if not hmac.compare_digest(_signature(url.netloc, query, scope, secret), query.get("X-Amz-Signature", "")):
        raise TokenRefused("the token's signature does not match")
    return access_key


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TokenRefused("the token is not text in base64") from error


def _check_time(query: dict[str, str], now: datetime) -> None:
    try:
        signed_at = datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = timedelta(seconds=int(query["X-Amz-Expires"]))
    except (KeyError, ValueError) as error:
        raise TokenRefused("the token does not state when it was signed and when it expires") from error
    if not signed_at - CLOCK_SKEW <= now < signed_at + min(lifetime, LONGEST):
        raise TokenRefused("the token has expired")


def _signature(host: str, query: dict[str, str], scope: str, secret: str) -> str:
    """Signature Version 4 of a GET request with `host` as the only signed header."""
    signed = sorted((quote(key, "-_.~"), quote(query[key], "-_.~")) for key in query if key not in UNSIGNED)
    canonical = "&".join(f"{key}={value}" for key, value in signed)
    request = "\n".join(("GET", "/", canonical, f"host:{host}", "", "host", hashlib.sha256(b"").hexdigest()))
    digest = hashlib.sha256(request.encode()).hexdigest()
    text = "\n".join(("AWS4-HMAC-SHA256", query["X-Amz-Date"], scope, digest))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = _mac(key, part)
    return _mac(key, text).hex()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
