import uuid

import pytest

from clients.aws.alarms import read_firing_alarms
from sandbox.environment import variables
from sandbox.instance import Sandbox
from tests.aws import ALARM, SandboxAws


def test_the_alarms_in_alarm_with_the_prefix_are_read_with_their_reason(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.require("aws")
    for name, value in variables(sandbox.state, sandbox.addresses, sandbox.settings).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    cloudwatch = SandboxAws(sandbox.addresses.aws).client("cloudwatch")
    prefix = f"shop-{uuid.uuid4().hex[:8]}-"
    for name in (f"{prefix}failed", f"{prefix}quiet", f"other-{prefix}"):
        cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    for name in (f"{prefix}failed", f"other-{prefix}"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="12 failed")
    assert read_firing_alarms(prefix, "us-east-1") == {f"{prefix}failed": "12 failed"}
