"""The administrator's kubeconfig of one sandbox."""

import secrets
from pathlib import Path

import yaml

CLUSTER = "genai-demo-production"


def write_kubeconfig(state: Path, server: str) -> str:
    """Write `<state>/kubeconfig`, readable only by its owner, and return the token in it."""
    token = secrets.token_urlsafe(32)
    authority = str((state / "ca" / "ca.pem").resolve())
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "sandbox", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "admin"}}],
        "current-context": "sandbox",
    }
    path = state / "kubeconfig"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    return token
