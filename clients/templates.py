"""Sends the template of a stack: in the request, or through the bucket if it is too large for the request."""

import hashlib
from urllib.parse import urlsplit

from clients.store import open_store
from delivery.errors import Conflict
from delivery.stacks.assembly import MAX_TEMPLATE_BYTES, StackSpec


def send_template(stack: StackSpec, state_url: str, region: str) -> dict[str, str]:
    """The argument of CreateChangeSet that contains the template.

    A large template is first stored in the bucket under its hash, so that each template is stored once.
    state_url: `s3://bucket/prefix` if the template is large; see `refusals_of`.
    """
    if stack.size_bytes <= MAX_TEMPLATE_BYTES:
        return {"TemplateBody": stack.template}
    data = stack.template.encode()
    key = f"templates/{hashlib.sha256(data).hexdigest()}.json"
    if not open_store(state_url, region).create_own(key, data):
        raise Conflict(
            f"{state_url}/{key} is not the template with this hash, so it was not used. Delete this object, then run "
            "the same command again."
        )
    bucket, prefix = urlsplit(state_url).netloc, urlsplit(state_url).path.strip("/")
    path = f"{prefix}/{key}" if prefix else key
    return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{path}"}
