"""How a stack's template is sent: in the request, or from the state's bucket where it is too large for that."""

import hashlib
from urllib.parse import urlsplit

from clients.store import open_store
from delivery.errors import Conflict
from delivery.stacks.assembly import MAX_TEMPLATE_BYTES, StackSpec


def send_template(stack: StackSpec, state_url: str, region: str) -> dict[str, str]:
    """The argument of CreateChangeSet that brings the template.

    A large one is put into the bucket under its own hash first, so that the same template is there once.
    state_url: `s3://bucket/prefix` where the template is large, see `refusals_of`.
    """
    if stack.size_bytes <= MAX_TEMPLATE_BYTES:
        return {"TemplateBody": stack.template}
    data = stack.template.encode()
    key = f"templates/{hashlib.sha256(data).hexdigest()}.json"
    if not open_store(state_url, region).create_own(key, data):
        raise Conflict(f"{state_url}/{key} holds something else than the template it is named after. Remove it.")
    bucket, prefix = urlsplit(state_url).netloc, urlsplit(state_url).path.strip("/")
    path = f"{prefix}/{key}" if prefix else key
    return {"TemplateURL": f"https://{bucket}.s3.{region}.amazonaws.com/{path}"}
