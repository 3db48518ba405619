"""A fresh studio for each test."""

import pytest

from tests.unit.predictions.studio import DATA, Studio, csv_of, rows, trained


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture
def ready(studio: Studio) -> Studio:
    """A studio with a linear model and 500 rows."""
    studio.publish(trained("linear"))
    studio.objects.put(DATA, csv_of(rows(500)))
    return studio
