"""The two API servers that contract tests run against: the sandbox's, and the control plane of a kubeconfig."""

import os

import pytest

KUBECONFIG = "KUBERNETES_CONTRACT_KUBECONFIG"
SANDBOX, CONTROL_PLANE = "sandbox", "control plane"

_control_plane = pytest.param(CONTROL_PLANE, marks=pytest.mark.control_plane)
_endpoints = [SANDBOX, _control_plane] if os.environ.get(KUBECONFIG) else [SANDBOX]
each_endpoint = pytest.mark.parametrize("endpoint", _endpoints, indirect=True, scope="session")
