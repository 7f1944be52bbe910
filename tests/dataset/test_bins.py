import pytest

from foldpix.dataset.bins import BINS, LengthError, bin_name


def test_bins_cover_40_to_1024_without_gap_or_overlap():
    covered = [length for low, high in BINS for length in range(low, high + 1)]
    assert covered == list(range(40, 1025))
    assert len(BINS) == 16


@pytest.mark.parametrize(
    ("length", "name"),
    [(40, "bin_40_64"), (64, "bin_40_64"), (65, "bin_65_128"), (128, "bin_65_128"), (1024, "bin_961_1024")],
)
def test_bin_name(length, name):
    assert bin_name(length) == name


@pytest.mark.parametrize(("length", "limit"), [(39, "fewer than 40"), (1025, "more than 1024"), (0, "fewer")])
def test_lengths_without_bin(length, limit):
    with pytest.raises(LengthError, match=f"^{length} residues, {limit}"):
        bin_name(length)
