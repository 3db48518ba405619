import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.uploads.content import IMAGE_TYPES, Image, examine, sniff
from chalicelib.uploads.status import Reason


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    brands = major + bytes(4) + b"".join(compatible)
    return (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands + b"\x00\x00\x00\x10meta"


IMAGES = {
    "image/jpeg": b"\xff\xd8\xff\xe1\x00\x10Exif",
    "image/png": b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
    "image/gif": b"GIF89a\x01\x00",
    "image/webp": b"RIFF\x24\x00\x00\x00WEBPVP8L",
    "image/heic": ftyp(b"heic", b"mif1", b"heic"),
    "image/heif": ftyp(b"mif1", b"mif1", b"heic"),
}


@pytest.mark.parametrize(("content_type", "head"), IMAGES.items())
def test_images_are_known_by_their_first_bytes(content_type: str, head: bytes) -> None:
    assert sniff(head) == content_type
    assert content_type in IMAGE_TYPES


@pytest.mark.parametrize(
    "head",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'>",
        b"<!doctype html><script>",
        b"%PDF-1.7",
        b"PK\x03\x04",
        b"MZ\x90\x00",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\n\n\x1a\n\x00\x00\x00\rIHDR",
        b"GIF90a",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        b"RIFF\x24\x00\x00\x00WEBP",
        ftyp(b"avif", b"avif", b"mif1"),
        ftyp(b"mif1", b"avif"),
        ftyp(b"isom", b"mp42"),
        b"\xff\xff\xff\xffftypheic",
        b"\x00\x00\x00\x08ftypheic",
        b" " + IMAGES["image/jpeg"],
    ],
)
def test_what_is_no_accepted_image_is_not_taken_for_one(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=600))
def test_any_bytes_get_an_answer(head: bytes) -> None:
    assert sniff(head) in {None, *IMAGE_TYPES}


@given(st.sampled_from(sorted(IMAGES)), st.integers(0, 30))
def test_a_signature_cut_short_is_none(content_type: str, cut: int) -> None:
    head = IMAGES[content_type][:cut]
    assert sniff(head) in {None, content_type}
    assert sniff(head[:2]) is None


def test_size_is_examined_first() -> None:
    png = IMAGES["image/png"]
    assert examine(b"", 0, 100) is Reason.EMPTY
    assert examine(png, 101, 100) is Reason.TOO_LARGE
    assert examine(png, 100, 100) == Image("image/png", 100)
    assert examine(b"text", 4, 100) is Reason.NOT_AN_IMAGE
