"""The two API servers that a contract test is asked of: the sandbox's, and a control plane that somebody names."""

import os

import pytest

KUBECONFIG = "KUBERNETES_CONTRACT_KUBECONFIG"
SANDBOX, CONTROL_PLANE = "sandbox", "control plane"

_unless_named = () if os.environ.get(KUBECONFIG) else pytest.mark.skip(reason=f"{KUBECONFIG} names no control plane")
each_endpoint = pytest.mark.parametrize(
    "endpoint", [SANDBOX, pytest.param(CONTROL_PLANE, marks=_unless_named)], indirect=True, scope="session"
)
