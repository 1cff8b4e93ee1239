"""Errors as each protocol of AWS writes them."""

import json
from http import HTTPStatus

from sandbox.aws.requests import Environ, caller_and_service, is_query_protocol

QUERY = (
    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>fault</RequestId></ErrorResponse>"
)
S3 = "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>fault</RequestId></Error>"
# Per fault: HTTP status, message, and the code in the query protocol, in JSON and in S3.
ERRORS = {
    "throttle": (400, "Rate exceeded", "Throttling", "ThrottlingException", "SlowDown"),
    "deny": (403, "The fault injector denies this", "AccessDenied", "AccessDeniedException", "AccessDenied"),
    "down": (
        503,
        "The service is unavailable",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "ServiceUnavailable",
    ),
}


def answer_of(kind: str, environ: Environ, body: bytes) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status line, headers and body of an error in the protocol that the request speaks."""
    status, message, query_code, json_code, s3_code = ERRORS[kind]
    if caller_and_service(environ)[1] == "s3":
        code, content_type, status = s3_code, "application/xml", 503 if kind == "throttle" else status
        text = S3.format(code=code, message=message)
    elif is_query_protocol(environ, body):
        code, content_type = query_code, "text/xml"
        text = QUERY.format(kind="Sender" if status < 500 else "Receiver", code=code, message=message)
    else:
        code, content_type = json_code, "application/json"
        text = json.dumps({"__type": code, "message": message})
    answer = text.encode()
    headers = [("Content-Type", content_type), ("Content-Length", str(len(answer))), ("x-amzn-ErrorType", code)]
    return f"{status} {HTTPStatus(status).phrase}", headers, answer
