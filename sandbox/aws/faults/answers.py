"""Error responses in each protocol of AWS."""

import json
from http import HTTPStatus

from sandbox.aws.http.requests import Environ, caller_and_service, is_query_protocol

QUERY = (
    "<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>fault</RequestId></ErrorResponse>"
)
S3 = "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>fault</RequestId></Error>"
# For each kind: HTTP status, message, and the error code in the query protocol, in JSON and in S3.
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


Answer = tuple[str, list[tuple[str, str]], bytes]


def answer_of(kind: str, environ: Environ, body: bytes) -> Answer:
    """The status line, headers and body of the error, in the protocol of the request."""
    status, message, query_code, json_code, s3_code = ERRORS[kind]
    side = "Sender" if status < 500 else "Receiver"
    if caller_and_service(environ)[1] == "s3":
        text = S3.format(code=s3_code, message=message).encode()
        return _answer(503 if kind == "throttle" else status, "application/xml", s3_code, text)
    if is_query_protocol(environ, body):
        text = QUERY.format(kind=side, code=query_code, message=message).encode()
        return _answer(status, "text/xml", query_code, text)
    text = json.dumps({"__type": json_code, "message": message}).encode()
    line, headers, text = _answer(status, "application/json", json_code, text)
    # A service that had the query protocol earlier also sends the code of that protocol.
    if environ.get("HTTP_X_AMZN_QUERY_MODE") == "true":
        headers.append(("x-amzn-query-error", f"{query_code};{side}"))
    return line, headers, text


def _answer(status: int, content_type: str, code: str, text: bytes) -> Answer:
    headers = [("Content-Type", content_type), ("Content-Length", str(len(text))), ("x-amzn-ErrorType", code)]
    return f"{status} {HTTPStatus(status).phrase}", headers, text
