"""The season's cities: real ones, with coordinates in degrees and the size of their audiences."""

from typing import NamedTuple


class City(NamedTuple):
    """A city; `demand` is its audience relative to an average one."""

    name: str
    state: str
    country: str
    latitude: float
    longitude: float
    demand: float


CITIES: tuple[City, ...] = (
    City("New York", "New York", "United States", 40.7128, -74.0060, 1.45),
    City("Los Angeles", "California", "United States", 34.0522, -118.2437, 1.40),
    City("Chicago", "Illinois", "United States", 41.8781, -87.6298, 1.20),
    City("Austin", "Texas", "United States", 30.2672, -97.7431, 1.25),
    City("Houston", "Texas", "United States", 29.7604, -95.3698, 1.00),
    City("Dallas", "Texas", "United States", 32.7767, -96.7970, 1.00),
    City("Nashville", "Tennessee", "United States", 36.1627, -86.7816, 1.25),
    City("Memphis", "Tennessee", "United States", 35.1495, -90.0490, 0.85),
    City("Seattle", "Washington", "United States", 47.6062, -122.3321, 1.10),
    City("Portland", "Oregon", "United States", 45.5152, -122.6784, 0.95),
    City("San Francisco", "California", "United States", 37.7749, -122.4194, 1.15),
    City("San Diego", "California", "United States", 32.7157, -117.1611, 0.95),
    City("Denver", "Colorado", "United States", 39.7392, -104.9903, 1.05),
    City("Phoenix", "Arizona", "United States", 33.4484, -112.0740, 0.90),
    City("Las Vegas", "Nevada", "United States", 36.1699, -115.1398, 1.30),
    City("Minneapolis", "Minnesota", "United States", 44.9778, -93.2650, 0.95),
    City("Detroit", "Michigan", "United States", 42.3314, -83.0458, 0.90),
    City("Atlanta", "Georgia", "United States", 33.7490, -84.3880, 1.10),
    City("New Orleans", "Louisiana", "United States", 29.9511, -90.0715, 1.05),
    City("Miami", "Florida", "United States", 25.7617, -80.1918, 1.10),
    City("Boston", "Massachusetts", "United States", 42.3601, -71.0589, 1.10),
    City("Philadelphia", "Pennsylvania", "United States", 39.9526, -75.1652, 1.05),
    City("Washington", "District of Columbia", "United States", 38.9072, -77.0369, 1.05),
    City("Toronto", "Ontario", "Canada", 43.6532, -79.3832, 1.15),
    City("Montreal", "Quebec", "Canada", 45.5019, -73.5674, 1.05),
    City("Vancouver", "British Columbia", "Canada", 49.2827, -123.1207, 1.00),
    City("London", "England", "United Kingdom", 51.5074, -0.1278, 1.45),
    City("Manchester", "England", "United Kingdom", 53.4808, -2.2426, 1.10),
    City("Glasgow", "Scotland", "United Kingdom", 55.8642, -4.2518, 1.00),
    City("Dublin", "Leinster", "Ireland", 53.3498, -6.2603, 1.05),
    City("Paris", "Île-de-France", "France", 48.8566, 2.3522, 1.25),
    City("Lyon", "Auvergne-Rhône-Alpes", "France", 45.7640, 4.8357, 0.90),
    City("Berlin", "Berlin", "Germany", 52.5200, 13.4050, 1.25),
    City("Hamburg", "Hamburg", "Germany", 53.5511, 9.9937, 1.05),
    City("Cologne", "North Rhine-Westphalia", "Germany", 50.9375, 6.9603, 1.00),
    City("Munich", "Bavaria", "Germany", 48.1351, 11.5820, 1.05),
    City("Vienna", "Vienna", "Austria", 48.2082, 16.3738, 1.00),
    City("Zürich", "Zürich", "Switzerland", 47.3769, 8.5417, 1.00),
    City("Amsterdam", "North Holland", "Netherlands", 52.3676, 4.9041, 1.15),
    City("Brussels", "Brussels-Capital", "Belgium", 50.8503, 4.3517, 0.95),
    City("Copenhagen", "Capital Region", "Denmark", 55.6761, 12.5683, 1.00),
    City("Stockholm", "Stockholm", "Sweden", 59.3293, 18.0686, 1.05),
    City("Oslo", "Oslo", "Norway", 59.9139, 10.7522, 0.95),
    City("Helsinki", "Uusimaa", "Finland", 60.1699, 24.9384, 0.90),
    City("Warsaw", "Masovia", "Poland", 52.2297, 21.0122, 0.90),
    City("Prague", "Prague", "Czechia", 50.0755, 14.4378, 0.90),
    City("Madrid", "Madrid", "Spain", 40.4168, -3.7038, 1.15),
    City("Barcelona", "Catalonia", "Spain", 41.3874, 2.1686, 1.20),
    City("Lisbon", "Lisbon", "Portugal", 38.7223, -9.1393, 0.95),
    City("Milan", "Lombardy", "Italy", 45.4642, 9.1900, 1.05),
    City("Rome", "Lazio", "Italy", 41.9028, 12.4964, 1.00),
    City("Tokyo", "Tokyo", "Japan", 35.6762, 139.6503, 1.40),
    City("Osaka", "Osaka", "Japan", 34.6937, 135.5023, 1.15),
    City("Seoul", "Seoul", "South Korea", 37.5665, 126.9780, 1.25),
    City("Sydney", "New South Wales", "Australia", -33.8688, 151.2093, 1.15),
    City("Melbourne", "Victoria", "Australia", -37.8136, 144.9631, 1.20),
    City("Auckland", "Auckland", "New Zealand", -36.8509, 174.7645, 0.85),
    City("São Paulo", "São Paulo", "Brazil", -23.5558, -46.6396, 1.30),
    City("Buenos Aires", "Buenos Aires", "Argentina", -34.6037, -58.3816, 1.15),
    City("Mexico City", "Mexico City", "Mexico", 19.4326, -99.1332, 1.30),
)
