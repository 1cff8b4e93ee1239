"""The settings of a sandbox, stored in `settings.json` in its state folder."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

# The secret of all access keys. Only the tokens of MSK clients are checked with it.
SECRET_ACCESS_KEY = "sandbox"


@dataclass(frozen=True)
class SandboxSettings:
    """time_factor: divides the times of manifests and controllers. metric_period_seconds: 60 on AWS.

    requests_per_second: of the users, on average. eks_token_seconds: how long the cluster accepts a token.
    """

    time_factor: float = 10.0
    metric_period_seconds: int = 5
    account_id: str = "123456789012"
    region: str = "us-east-1"
    requests_per_second: float = 25.0
    eks_token_seconds: float = 900.0

    @classmethod
    def read(cls, state: Path) -> Self:
        return cls(**json.loads((state / "settings.json").read_text()))

    def write(self, state: Path) -> None:
        (state / "settings.json").write_text(json.dumps(asdict(self), indent=2) + "\n")
