"""A data set to train on."""

from pathlib import Path

import pytest

from tests.training.tiny import make_dataset


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """18 chains to train on, 6 for validation. Do not change it."""
    return make_dataset(tmp_path_factory.mktemp("images"))
