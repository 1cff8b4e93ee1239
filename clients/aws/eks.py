"""The endpoint of an EKS cluster, and the bearer token with which its API server authenticates an AWS identity."""

import base64
import time
from dataclasses import dataclass
from typing import Any

from clients.aws.session import aws_client, new_client, translated

# The authenticator of the cluster accepts a presigned URL for 15 minutes after it was signed, whatever ExpiresIn says.
TOKEN_LIFETIME_SECONDS = 14 * 60


@dataclass(frozen=True)
class Endpoint:
    """url: of the API server. authority: the certificate authority of its certificate, in PEM."""

    url: str
    authority: str


def describe_endpoint(cluster_name: str, region: str) -> Endpoint:
    """Endpoint and certificate authority of the cluster, from EKS DescribeCluster."""
    with translated(f"describe the EKS cluster {cluster_name}"):
        cluster = aws_client("eks", region).describe_cluster(name=cluster_name)["cluster"]
    return Endpoint(cluster["endpoint"], base64.b64decode(cluster["certificateAuthority"]["data"]).decode())


def sign_token(cluster_name: str, region: str) -> str:
    """`k8s-aws-v1.` and the base64url of a presigned STS GetCallerIdentity with the name of the cluster."""
    sts = new_client("sts", region)

    def name_cluster(request: Any, **_: Any) -> None:
        request.headers["x-k8s-aws-id"] = cluster_name

    sts.meta.events.register("before-sign.sts.GetCallerIdentity", name_cluster)
    with translated(f"sign a token for the cluster {cluster_name}"):
        url = sts.generate_presigned_url("get_caller_identity", Params={}, ExpiresIn=60, HttpMethod="GET")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


class BearerToken:
    """A token that is signed again before it expires. Signing needs no request."""

    def __init__(self, cluster_name: str, region: str) -> None:
        self._cluster_name = cluster_name
        self._region = region
        self._token = ""
        self._signed_at = -float("inf")

    def discard(self) -> None:
        """Sign the next token again. A token expires early if the temporary credentials that signed it expire."""
        self._signed_at = -float("inf")

    def current(self) -> str:
        if time.monotonic() - self._signed_at > TOKEN_LIFETIME_SECONDS:
            self._token = sign_token(self._cluster_name, self._region)
            self._signed_at = time.monotonic()
        return self._token
