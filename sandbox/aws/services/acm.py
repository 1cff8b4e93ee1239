"""The certificate of the load balancer, which exists in the account before the first deployment."""

from typing import Any

from moto.acm.models import CertBundle, acm_backends

from sandbox.aws.cloud import Cloud

# Fixed, so that the settings of an environment can name it.
CERTIFICATE_ID = "00000000-0000-4000-8000-000000000000"


def import_certificate(cloud: Cloud) -> str:
    """Import the server certificate of the sandbox and return its ARN."""
    arn = cloud.arn("acm", f"certificate/{CERTIFICATE_ID}")
    folder = cloud.state / "ca"
    certificate, key, authority = ((folder / name).read_bytes() for name in ("server.pem", "server.key", "ca.pem"))
    bundle: Any = CertBundle(cloud.account_id, certificate, key, chain=authority, region=cloud.region, arn=arn)
    acm_backends[cloud.account_id][cloud.region]._certificates[arn] = bundle
    return arn
