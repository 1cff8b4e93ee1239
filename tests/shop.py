"""A small application with its own names and canary steps, for the tests of rollouts."""

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from clients.cluster import Cluster, connect_cluster
from delivery.canary.settings import MinimumDetectableEffect
from delivery.context import ReleaseContext
from delivery.environment import Environment
from sandbox.aws.client import client
from sandbox.instance import Sandbox
from sandbox.testing import PATIENCE
from tasks.state.lock import lock_environment
from tests.environments import production

# The certificate that the account of a sandbox has.
CERTIFICATE_ARN = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-4000-8000-000000000000"
MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:" + "44" * 32, "size": 2}
SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(int(os.environ["STATUS"]) if self.path == "/api/work" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer((os.environ["POD_IP"], 8000), Handler).serve_forever()
"""
CRASH = "raise SystemExit(3)"


@dataclass(frozen=True)
class Shop:
    """The application of one test, in its own namespace. host: of its listener rules."""

    sandbox: Sandbox
    environment: Environment
    host: str

    @property
    def namespace(self) -> str:
        return self.environment.application.namespace

    @property
    def cluster(self) -> Cluster:
        return connect_cluster(self.environment, "")

    def through(self, kubeconfig: Path) -> Environment:
        """The environment with another kubeconfig."""
        application = self.environment.application.model_copy(update={"kubeconfig": str(kubeconfig)})
        return self.environment.model_copy(update={"application": application})

    def push(self, name: str, *, status: int = 200, program: str = SERVER) -> str:
        """Push an image whose server answers /api/work with the status. Returns its digest."""
        ecr = client("ecr", self.sandbox.addresses, self.sandbox.settings)
        repository = self.environment.application.repository
        annotations = {
            "name": name,
            "sandbox.env.STATUS": str(status),
            "sandbox.image.command": json.dumps(["python", "-c", program]),
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MEDIA_TYPE,
            "config": EMPTY,
            "layers": [],
            "annotations": annotations,
        }
        text = json.dumps(manifest)
        digest = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        pushed = {"imageManifest": text, "imageManifestMediaType": MEDIA_TYPE, "imageTag": name, "imageDigest": digest}
        ecr.put_image(repositoryName=repository, **pushed)
        return digest

    def remove(self) -> None:
        """Delete the namespace with all its objects, so that the sandbox does no work for a test that has ended."""
        self.cluster.delete("Namespace", self.namespace)

    @contextmanager
    def release(self, digest: str) -> Iterator[ReleaseContext]:
        with lock_environment(self.environment, digest, "plan", "test", wait=False) as context:
            yield context

    @contextmanager
    def users(self) -> Iterator[None]:
        """Requests to the load balancer, one after another, until the block ends."""
        stop = threading.Event()
        thread = threading.Thread(target=self._send_requests, args=(stop,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE)

    def _send_requests(self, stop: threading.Event) -> None:
        url = f"https://{self.sandbox.addresses.load_balancer}/api/work"
        # One connection is enough: the load balancer splits requests, not connections.
        with httpx.Client(verify=False, headers={"Host": self.host}, timeout=PATIENCE) as http:  # noqa: S501
            while not stop.wait(0.02):
                http.get(url)


def make_shop(sandbox: Sandbox, folder: Path) -> Shop:
    """Create an application: write its manifests into the folder, and create its image repository."""
    name = f"shop-{uuid.uuid4().hex[:6]}"
    host = f"{name}.example.com"
    manifests = folder / "manifests"
    manifests.mkdir()
    subnets = client("ec2", sandbox.addresses, sandbox.settings).describe_subnets()["Subnets"]
    objects = describe_shop(name, host, ",".join(subnet["SubnetId"] for subnet in subnets[:2]))
    (manifests / "all.yaml").write_text(yaml.safe_dump_all(objects, default_flow_style=False))
    client("ecr", sandbox.addresses, sandbox.settings).create_repository(repositoryName=name)
    base = production(folder / "store")
    application = base.application.model_copy(
        update={
            "repository": name,
            "namespace": name,
            "manifests": str(manifests),
            "kubeconfig": str(sandbox.state / "kubeconfig"),
            "certificate_arn": CERTIFICATE_ARN,
        }
    )
    canary = base.canary.model_copy(update=canary_settings(sandbox.settings.metric_period_seconds))
    return Shop(sandbox, base.model_copy(update={"application": application, "canary": canary}), host)


def canary_settings(period: int) -> dict[str, Any]:
    """Short pauses, and deadlines that are long enough for a busy machine."""
    seconds = {"pause": 3 * period, "period": period, "lateness": period}
    deadlines = "ready_deadline", "weight_deadline", "abort_deadline", "mismatch_deadline"
    seconds |= dict.fromkeys(deadlines, PATIENCE)
    limits = {key: timedelta(seconds=value) for key, value in seconds.items()} | {"poll": timedelta(milliseconds=200)}
    # An effect that the requests of one user can show within a pause, or within several on a busy machine.
    return {**limits, "minimum_detectable_effect": MinimumDetectableEffect(stable=0.02, canary=0.5), "ceiling": 30.0}


def describe_shop(name: str, host: str, subnets: str) -> tuple[Mapping[str, Any], ...]:
    labels = {"shop": name}
    metadata = {"namespace": name, "labels": labels}
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        *(describe_service(metadata | {"name": service}, labels) for service in ("blue", "green")),
        describe_ingress(metadata | {"name": "front"}, host, subnets),
        describe_rollout(metadata, labels),
    )


def describe_service(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    spec = {"selector": labels, "ports": [{"port": 80, "targetPort": 8000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def describe_ingress(metadata: Mapping[str, Any], host: str, subnets: str) -> Mapping[str, Any]:
    """The Ingress, with a load balancer of its own. Its backend `door` is the weighted action."""
    annotations = {
        "alb.ingress.kubernetes.io/load-balancer-name": metadata["namespace"],
        "alb.ingress.kubernetes.io/subnets": subnets,
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/listen-ports": '[{"HTTPS": 443}]',
        "alb.ingress.kubernetes.io/certificate-arn": "${SSL_CERTIFICATE_ARN}",
        "alb.ingress.kubernetes.io/healthcheck-path": "/health",
    }
    backend = {"service": {"name": "door", "port": {"name": "use-annotation"}}}
    rule = {"host": host, "http": {"paths": [{"path": "/api", "pathType": "Prefix", "backend": backend}]}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {**metadata, "annotations": annotations},
        "spec": {"ingressClassName": "alb", "rules": [rule]},
    }


def describe_rollout(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> Mapping[str, Any]:
    probe = {"httpGet": {"path": "/health", "port": 8000}, "periodSeconds": 5}
    container = {"name": "till", "image": "${IMAGE}", "ports": [{"containerPort": 8000}], "readinessProbe": probe}
    canary = {
        "stableService": "blue",
        "canaryService": "green",
        "trafficRouting": {"alb": {"ingress": "front", "rootService": "door", "servicePort": 80}},
        "steps": [step for weight in (30, 70) for step in ({"setWeight": weight}, {"pause": {}})],
        "scaleDownDelaySeconds": 10,
        "abortScaleDownDelaySeconds": 10,
    }
    spec = {
        "replicas": 2,
        "rollbackWindow": {"revisions": 2},
        "selector": {"matchLabels": labels},
        "strategy": {"canary": canary},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": dict(metadata) | {"name": "till"},
        "spec": spec,
    }
