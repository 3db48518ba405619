"""A fresh studio for each test."""

import pytest

from tests.unit.predictions.studio import Studio


@pytest.fixture
def studio() -> Studio:
    return Studio()
