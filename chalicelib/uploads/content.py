"""The real type of an uploaded object, from its first bytes and its size; the declared type is not trusted."""

from msgspec import Struct

from chalicelib.uploads.status import Reason

SNIFF_BYTES = 512
"""Enough for each signature below, including a long list of HEIF's compatible brands."""

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/heic", "image/heif")

DECLARED_TYPES = (*IMAGE_TYPES, "image/jpg", "application/octet-stream")
"""The names of these types in phones and their file pickers; some use the last one for any file."""

_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF_BRANDS = frozenset({b"mif1", b"msf1"})


class Image(Struct, frozen=True):
    """An acceptable object: its media type and its size in bytes."""

    content_type: str
    size: int


def examine(head: bytes, size: int, max_bytes: int) -> Image | Reason:
    """An object of `size` bytes that begins with `head` as an image, or the reason that it is not acceptable."""
    if size == 0:
        return Reason.EMPTY
    if size > max_bytes:
        return Reason.TOO_LARGE
    content_type = sniff(head)
    return Reason.NOT_AN_IMAGE if content_type is None else Image(content_type, size)


def sniff(head: bytes) -> str | None:
    """The media type of an object, from its first `SNIFF_BYTES`, `head`; None if it is not an accepted image.

    Signatures: ITU-T T.81 B.1.1.3 (JPEG), PNG 3rd edition 5.2, GIF89a section 17, RFC 9649 (WebP),
    ISO/IEC 23008-12 10.2 (HEIC, HEIF).
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP" and head[12:15] == b"VP8":
        return "image/webp"
    return _heif(head)


def _heif(head: bytes) -> str | None:
    if head[4:8] != b"ftyp":
        return None
    box = int.from_bytes(head[:4], "big")
    if not 16 <= box <= len(head) or box % 4:
        return None
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, box, 4)}
    if major in _HEIC_BRANDS:
        return "image/heic"
    if major in _HEIF_BRANDS and compatible & _HEIC_BRANDS:
        return "image/heif"
    return None
