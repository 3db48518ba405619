"""Requests and responses of the upload routes. Names are camel case on the wire; times are seconds since 1970."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.uploads.content import DECLARED_TYPES
from chalicelib.uploads.keys import SESSION_ID
from chalicelib.uploads.status import Status

EXAMPLE_ID = "1b671a64-40d5-491e-99b0-da01ff1f3341"

SessionId = Annotated[
    str, Meta(pattern=rf"^{SESSION_ID}(?![\s\S])", description="A version 4 UUID in lower case.", examples=[EXAMPLE_ID])
]
OwnerToken = Annotated[
    str, Meta(max_length=128, description="Replaces the header X-Owner-Token for clients that cannot send headers.")
]
UploadToken = Annotated[
    str, Meta(max_length=128, description="Replaces the header X-Upload-Token for clients that cannot send headers.")
]
EpochSeconds = Annotated[int, Meta(description="Seconds since 1970, UTC.", examples=[1795236400])]


class NewSessionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The address of the caller's phone page."""

    phone_page: (
        Annotated[
            str,
            Meta(
                max_length=512,
                pattern=r"^https?://[^\s\x00-\x20\x7f\"'<>\\?#/]+/[^\s\x00-\x20\x7f\"'<>\\?#]*(?![\s\S])",
                description="The page that the code opens, with the phone's token after `#`. Defaults to our own page.",
                examples=["https://photos.example.com/u"],
            ),
        ]
        | None
    ) = None


class NewSession(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A new session for its owner, with the tokens, which are shown only once."""

    session_id: str
    status: Status
    created_at: EpochSeconds
    expires_at: EpochSeconds
    owner_token: Annotated[str, Meta(description="Gives the desktop access to the session. Keep it there.")]
    upload_token: Annotated[str, Meta(description="Permits uploads. For the phone.")]
    phone_url: Annotated[str, Meta(description="The content of the QR code.")]
    qr_code: Annotated[str, Meta(description="The QR code as an SVG image in a data: URL.")]
    socket_url: Annotated[str | None, Meta(description="The WebSocket to connect to; null means: poll.")]


class SessionQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Proof for clients that cannot send headers."""

    owner_token: OwnerToken | None = None
    upload_token: UploadToken | None = None


class SessionView(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The status of a session."""

    session_id: str
    status: Status
    created_at: EpochSeconds
    expires_at: EpochSeconds
    upload_key: str | UnsetType = UNSET
    completed_at: EpochSeconds | UnsetType = UNSET
    content_type: Annotated[str, Meta(description="The image's type, detected from its bytes.")] | UnsetType = UNSET
    size: Annotated[int, Meta(description="Bytes.")] | UnsetType = UNSET
    reason: Annotated[str, Meta(description="Why the upload was rejected.")] | UnsetType = UNSET
    image_url: Annotated[str, Meta(description="The image's URL for five minutes; owners only.")] | UnsetType = UNSET


class UploadUrlQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The session to upload to, and the file's declared type and size."""

    session_id: SessionId
    upload_token: UploadToken | None = None
    content_type: (
        Annotated[
            str,
            Meta(
                max_length=100,
                description="The exact Content-Type of the PUT; the image's bytes decide later. Default: image/jpeg.",
                examples=["image/jpeg"],
                extra_json_schema={"enum": list(DECLARED_TYPES)},
            ),
        ]
        | None
    ) = None
    content_length: (
        Annotated[
            int, Meta(ge=1, description="Bytes. If given, the PUT must have exactly this many.", examples=[2097152])
        ]
        | None
    ) = None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A multipart form: these fields first, then the file as `file`, its type as `Content-Type` before it."""

    url: str
    fields: dict[str, str]


class UploadPermission(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Two ways to upload one object; use either."""

    upload_url: Annotated[str, Meta(description="For a PUT with the requested type and, if given, length.")]
    upload_key: str
    expires_in: Annotated[int, Meta(description="Seconds.")]
    max_bytes: int
    form: Annotated[Form, Meta(description="For a POST of any image type, with limited size.")]


class NoticeDue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The outbox's message: a session whose desktop is still to be notified."""

    session_id: SessionId
