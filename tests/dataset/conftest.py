"""Data sets for the tests of this room."""

from pathlib import Path

import pytest

from tests.dataset.handmade import DataSet


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    """29 training samples in three bins and five uneven shards, 7 for validation. Do not change it."""
    made = DataSet(tmp_path_factory.mktemp("dataset"))
    for number, num_samples in enumerate((7, 4, 6)):
        made.add_shard("bin_40_64", number, num_samples)
    made.add_shard("bin_65_128", 0, 11)
    made.add_shard("bin_129_192", 0, 1)
    made.add_shard("bin_40_64", 0, 5, split="val")
    made.add_shard("bin_65_128", 0, 2, split="val")
    made.write_manifest()
    return made


@pytest.fixture
def own_dataset(tmp_path: Path) -> DataSet:
    """10 training samples in two bins, to be damaged."""
    made = DataSet(tmp_path)
    made.add_shard("bin_40_64", 0, 4)
    made.add_shard("bin_40_64", 1, 3)
    made.add_shard("bin_65_128", 0, 3)
    made.write_manifest()
    return made
