import dataclasses

import numpy as np
import pytest

from foldpix.structure import Backbone


def straight(length):
    """A chain along x with C-N 1.3 angstrom."""
    atoms = np.arange(3 * length)[:, None] * [1.3, 0, 0]
    return atoms.reshape(length, 3, 3)


def test_fields():
    backbone = Backbone(straight(4), "ACDX", name="1abc", chain="B", model=2, num_dropped=1)
    assert len(backbone) == 4
    assert backbone.coords.dtype == np.float32
    with pytest.raises(dataclasses.FrozenInstanceError):
        backbone.name = "other"


@pytest.mark.parametrize("shape", [(4, 3), (4, 4, 3), (4, 3, 2), (0, 3, 3), (1, 4, 3, 3)])
def test_wrong_shape(shape):
    with pytest.raises(ValueError, match=r"shape \(.*\(L, 3, 3\)"):
        Backbone(np.zeros(shape), "AAAA")


@pytest.mark.parametrize("sequence", ["", "AAA", "AAAAA"])
def test_wrong_sequence(sequence):
    with pytest.raises(ValueError, match=f"{len(sequence)} letters and coords have 4 residues"):
        Backbone(straight(4), sequence)


def test_chain_breaks():
    coords = straight(5)
    coords[2:] += [0.8, 0, 0]  # C-N 2.1
    coords[4:] += [0.6, 0, 0]  # C-N 1.9
    assert Backbone(coords, "AAAAA").chain_breaks.tolist() == [1]
    assert Backbone(coords[:1], "A").chain_breaks.tolist() == []


def test_an_unknown_place_is_a_break():
    coords = straight(4)
    coords[2, 0] = np.nan
    assert Backbone(coords, "AAAA").chain_breaks.tolist() == [1]
