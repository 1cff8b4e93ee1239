"""Traces for X-Ray: which requests are traced, and the segment document of a request."""

import json
import secrets
from dataclasses import dataclass

SERVICE = "genai-demo-backend"


@dataclass(frozen=True)
class Span:
    """One answered request. trace_header: its X-Amzn-Trace-Id. started: seconds since 1970."""

    trace_header: str
    method: str
    host: str
    path: str
    status: int
    started: float
    seconds: float

    def is_sampled(self) -> bool:
        """Whether the client or load balancer sampled the request. The application does not sample requests itself."""
        fields = trace_fields(self.trace_header)
        return fields.get("Sampled") == "1" and fields.get("Root", "").startswith("1-")


def trace_fields(header: str) -> dict[str, str]:
    """The fields of `Root=1-…;Parent=…;Sampled=1`."""
    pairs = (pair.strip().partition("=") for pair in header.split(";"))
    return {name: value for name, _, value in pairs}


def segment_document(span: Span, pod: str) -> str:
    fields = trace_fields(span.trace_header)
    segment: dict[str, object] = {
        "name": SERVICE,
        "id": secrets.token_hex(8),
        "trace_id": fields["Root"],
        "start_time": span.started,
        "end_time": span.started + span.seconds,
        "http": {
            "request": {"method": span.method, "url": f"https://{span.host}{span.path}"},
            "response": {"status": span.status},
        },
        "error": 400 <= span.status < 500,
        "fault": span.status >= 500,
        "annotations": {"pod": pod},
    }
    if parent := fields.get("Parent"):
        segment["parent_id"] = parent
    return json.dumps(segment)
