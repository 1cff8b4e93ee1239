"""Images for tests: small Python programs, pushed to the sandbox's ECR as OCI manifests with annotations."""

import contextlib
import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

MEDIA_TYPE = "application/vnd.oci.image.manifest.v1+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:" + "44" * 32, "size": 2}

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        bad = self.path == os.environ.get("BAD_PATH")
        self.send_response(500 if bad else 200); self.end_headers()
        self.wfile.write(os.environ.get("ANSWER", "").encode())
    def log_message(self, *a): print("GET", self.path, flush=True)
address = (os.environ["POD_IP"], 8080)
print("listening on", address, "answer", os.environ.get("ANSWER"), flush=True)
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


def push(ecr: Any, repository: str, program: str = SERVER, **environment: str) -> str:
    """Push an image that runs the program and return its reference by digest."""
    annotations = {f"sandbox.env.{name}": value for name, value in environment.items()}
    annotations["sandbox.image.command"] = json.dumps(["python", "-c", program])
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": MEDIA_TYPE, "config": EMPTY, "layers": [EMPTY], "annotations": annotations}
    )
    digest = f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"
    account = _create_repository(ecr, repository)
    with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
        ecr.put_image(
            repositoryName=repository,
            imageManifest=manifest,
            imageManifestMediaType=MEDIA_TYPE,
            imageDigest=digest,
            imageTag=digest[7:19],
        )
    return f"{account}.dkr.ecr.us-east-1.amazonaws.com/{repository}@{digest}"


def _create_repository(ecr: Any, repository: str) -> str:
    try:
        return ecr.create_repository(repositoryName=repository)["repository"]["registryId"]
    except ClientError:
        found = ecr.describe_repositories(repositoryNames=[repository])
        return found["repositories"][0]["registryId"]
