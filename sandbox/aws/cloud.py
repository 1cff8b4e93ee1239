"""One account in one region, and what its services need to know about the sandbox."""

import base64
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.addresses import Addresses
from sandbox.aws.client import client_at
from sandbox.settings import SandboxSettings

# The access key of CloudFormation's own calls, which faults never hit.
CLOUDFORMATION = "cloudformation"
# A broker cluster takes 20 minutes on AWS, so these times are shortened more than those of manifests and controllers.
AWS_TIMES_ARE_SHORTER = 20


@dataclass
class Cloud:
    """One account in one region. `client` is for the calls that CloudFormation makes for a stack."""

    addresses: Addresses
    settings: SandboxSettings
    state: Path
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def account_id(self) -> str:
        return self.settings.account_id

    @property
    def region(self) -> str:
        return self.settings.region

    def client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = client_at(self.addresses.aws, service, self.region, caller=CLOUDFORMATION)
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account_id}:{resource}"

    def shortened(self, on_aws: timedelta) -> float:
        """The seconds in the sandbox for a duration on AWS."""
        return on_aws.total_seconds() / (self.settings.time_factor * AWS_TIMES_ARE_SHORTER)

    def certificate_authority(self) -> str:
        """The CA certificate of the sandbox, as EKS returns it: PEM in base64."""
        return base64.b64encode((self.state / "ca" / "ca.pem").read_bytes()).decode()
