"""Boxes on the globe, in degrees."""

Box = tuple[float, float, float, float]
"""South, west, north, east; where west is greater than east, the box crosses the date line."""


def holds(box: Box, latitude: float, longitude: float) -> bool:
    """Whether the place is within the box, including its sides."""
    south, west, north, east = box
    if not south <= latitude <= north:
        return False
    return west <= longitude <= east if west <= east else longitude >= west or longitude <= east


def square_degrees(box: Box) -> float:
    """The box's area as OpenSky charges it: degrees of latitude times degrees of longitude."""
    south, west, north, east = box
    return (north - south) * ((east - west) if west <= east else (east - west + 360))
