"""boto3 clients with which the parts of the sandbox and the resource types of CloudFormation call AWS."""

from typing import Any

from boto3.session import Session
from botocore.config import Config

from sandbox.addresses import Addresses
from sandbox.settings import SECRET_ACCESS_KEY, SandboxSettings

CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    max_pool_connections=32,
    retries={"mode": "standard", "total_max_attempts": 5},
    s3={"addressing_style": "path"},
)
DEFAULT_CALLER = "sandbox"


def client(service: str, addresses: Addresses, settings: SandboxSettings) -> Any:
    """A boto3 client of the service in this sandbox. It is thread-safe, so create it once and share it."""
    return client_at(addresses.aws, service, settings.region)


def client_at(endpoint: str, service: str, region: str, caller: str = DEFAULT_CALLER, config: Config = CONFIG) -> Any:
    """A boto3 client of the service at `endpoint`. `caller` is the access key, which needs no permissions."""
    session = Session(aws_access_key_id=caller, aws_secret_access_key=SECRET_ACCESS_KEY, region_name=region)
    return session.client(service, endpoint_url=endpoint, config=config)
