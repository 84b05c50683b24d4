"""What the Files API refuses, and why."""

from __future__ import annotations

from interplay.contracts.failure import Failure


class Unusable(Failure):
    """Something in the request is not as it must be."""

    code = "invalid_request"


class NoSuchFile(Failure):
    """There is no such file for this key."""

    code = "not_found"

    def __init__(self, id: str) -> None:
        super().__init__(
            f"There is no file 'files/{id[:80]}': it was never uploaded, was deleted, has expired,"
            " or belongs to another key."
        )


class NoSuchUpload(Failure):
    """The upload was never begun, was cancelled, or has waited too long."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such upload: it was cancelled, or waited longer than files.upload_hours."
            " Begin it anew."
        )


class Taken(Failure):
    """A file of this name is there already."""

    code = "already_exists"

    def __init__(self, id: str) -> None:
        super().__init__(f"There is a file 'files/{id}' already; delete it or take another name.")


class TooLarge(Failure):
    """The file is larger than one may be."""

    code = "payload_too_large"

    def __init__(self, limit: int, what: str = "file", setting: str = "files.file_bytes") -> None:
        super().__init__(f"A {what} has at most {limit} bytes ({setting}).")


class QuotaSpent(Failure):
    """The files of this key, or its documents, would together be larger than they may be."""

    code = "quota_exceeded"

    def __init__(self, limit: int, what: str = "files", setting: str = "key_bytes") -> None:
        super().__init__(
            f"The {what} of one key have at most {limit} bytes together, unfinished ones included"
            f" (files.{setting}); delete some."
        )


class OutOfPlace(Failure):
    """A part of an upload does not come where the upload stands."""

    code = "out_of_range"


class Contended(Failure):
    """Another request writes to the same upload."""

    code = "aborted"

    def __init__(self) -> None:
        super().__init__(
            "Another request has written to this upload meanwhile: ask where it stands with"
            " X-Goog-Upload-Command: query."
        )


class Interrupted(Failure):
    """The client went away before its request was whole; what came is kept."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("The client went away before the request was whole.")


class BytesLost(Failure):
    """A file's bytes are not where they were put."""

    code = "not_found"

    def __init__(self) -> None:
        super().__init__("The bytes of this file are lost; upload it again.")
