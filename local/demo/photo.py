"""A substitute for a photograph: a JPEG with a drawn scene that people recognise."""

import io
import math

from PIL import Image, ImageDraw, ImageFilter


def photo(width: int = 1600, height: int = 1200, quality: int = 88) -> bytes:
    """A sunset over hills and water as JPEG."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    horizon = int(height * 0.62)
    for y in range(horizon):
        part = y / horizon
        draw.line([(0, y), (width, y)], fill=_mix((38, 42, 92), (255, 158, 94), part**1.4))
    sun = (width * 0.64, horizon * 0.8, width * 0.055)
    for ring in range(12, 0, -1):
        radius = sun[2] * (1 + ring * 0.16)
        colour = _mix((255, 236, 190), (255, 170, 100), ring / 12)
        draw.ellipse([sun[0] - radius, sun[1] - radius, sun[0] + radius, sun[1] + radius], fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(width / 160))
    draw = ImageDraw.Draw(picture)
    for layer, colour in enumerate([(98, 66, 104), (66, 46, 88), (38, 30, 62)]):
        draw.polygon([(0, horizon), *_ridge(width, horizon, layer), (width, horizon)], fill=colour)
    for y in range(horizon, height):
        part = (y - horizon) / (height - horizon)
        draw.line([(0, y), (width, y)], fill=_mix((214, 128, 98), (24, 26, 60), part**0.7))
    for y in range(horizon + 6, height, 14):
        reach = width * 0.05 * (1 + 2.5 * (y - horizon) / (height - horizon))
        shift = math.sin(y * 0.9) * reach * 0.4
        draw.line([(sun[0] - reach + shift, y), (sun[0] + reach + shift, y)], fill=(255, 206, 150), width=3)
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=quality)
    return output.getvalue()


def _mix(first: tuple[int, int, int], second: tuple[int, int, int], part: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _ridge(width: int, horizon: int, layer: int) -> list[tuple[float, float]]:
    high = horizon * (0.24 - layer * 0.07)
    return [
        (
            x,
            horizon
            - high * (0.55 + 0.3 * math.sin(x / width * 7 + layer * 2) + 0.15 * math.sin(x / width * 19 + layer)),
        )
        for x in range(0, width + 1, 8)
    ]
