"""What went wrong, as the caller sees it."""

from __future__ import annotations

from interplay.wire.record import Record

HTTP_STATUS = {
    "invalid_request": 400,
    "failed_precondition": 400,
    "parameter_unknown": 400,
    "authentication": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "model_not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "already_exists": 409,
    "aborted": 409,
    "payload_too_large": 413,
    "unsupported_media_type": 415,
    "out_of_range": 416,
    "rate_limit_exceeded": 429,
    "quota_exceeded": 429,
    "too_many_requests": 429,
    "cancelled": 499,
    "api_error": 500,
    "unimplemented": 501,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "gateway_timeout": 504,
    "deadline_exceeded": 504,
}
"""The API's error codes and the HTTP status each travels with (API reference, "Errors").

A code not listed here is a generation fault (`safety`, `malformed_function_call`, ...): it
stands in `errors[]` of an interaction, or in an `error` event, never alone.
"""


class Error(Record):
    """One fault: a code of the API and a sentence that names the field and the way out."""

    code: str | None = None
    message: str | None = None


class ErrorBody(Record):
    """The body of every answer that is not a success."""

    error: Error
