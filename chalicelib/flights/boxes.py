"""Boxes on the globe, in degrees."""

Box = tuple[float, float, float, float]
"""South, west, north, east; where west is greater than east, the box crosses the date line."""


def holds(box: Box, latitude: float, longitude: float) -> bool:
    """Whether the place is within the box, including its sides."""
    south, west, north, east = box
    between = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
    return south <= latitude <= north and between


def square_degrees(box: Box) -> float:
    """The box's area as OpenSky charges it: degrees of latitude times degrees of longitude."""
    south, west, north, east = box
    return (north - south) * ((east - west) if west <= east else (east - west + 360))
