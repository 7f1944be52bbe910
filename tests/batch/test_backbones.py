"""Backbones as graphs, and back."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from foldpix.batch import Batch
from foldpix.structure import Backbone


def sample(many, seed):
    """Random walks of 20 to 60 residues."""
    rng = np.random.default_rng(seed)
    for number in range(many):
        length = int(rng.integers(20, 60))
        ca_L13 = np.cumsum(rng.standard_normal((length, 1, 3)) * 2, axis=0)
        sequence = "".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWYX"), length))
        coords_L33 = (ca_L13 + rng.standard_normal((length, 3, 3))).astype(np.float32)
        yield Backbone(coords_L33, sequence, f"fold\u00e9_{number}", "A" * number, 1 + number, number)


def assert_same_chain(ours, theirs):
    assert np.array_equal(ours.coords, theirs.coords)
    assert (ours.sequence, ours.name, ours.chain) == (theirs.sequence, theirs.name, theirs.chain)
    assert (ours.model, ours.num_dropped) == (theirs.model, theirs.num_dropped)


@pytest.mark.parametrize("cutoff", [0.0, 6.5, 8.0])
def test_contacts_are_those_of_a_tree(cutoff):
    backbones = list(sample(3, seed=1))
    batch = Batch.from_backbones(backbones, cutoff)
    assert batch.num_nodes_list == [len(backbone) for backbone in backbones]
    for data, backbone in zip(batch.to_data_list(), backbones, strict=True):
        pairs = cKDTree(backbone.coords[:, 1].astype(np.float64)).query_pairs(cutoff)
        both = {pair for i, j in pairs for pair in ((i, j), (j, i))}
        assert set(map(tuple, data.edge_index.tolist())) == both
        assert data.num_edges == len(both)
    degree = np.bincount(batch.edge_index[:, 0], minlength=batch.num_nodes)
    assert batch.edge_ptr.diff().tolist() == degree.tolist()


def test_backbones_come_back():
    backbones = list(sample(5, seed=2))
    batch = Batch.from_backbones([backbones[0], backbones[1:3], backbones[3:]])
    assert batch.lengths("chain").tolist() == [1, 2, 2]
    for ours, theirs in zip(batch.to_backbones(), backbones, strict=True):
        assert_same_chain(ours, theirs)
    last, first = batch.index_select([2, 0]).to_backbones()[1:]
    assert_same_chain(last, backbones[4])
    assert_same_chain(first, backbones[0])
    assert batch.coords.shape == (batch.num_rows("residue"), 3, 3)


def test_no_backbones():
    with pytest.raises(ValueError, match="no backbones"):
        Batch.from_backbones([])
    with pytest.raises(ValueError, match="structure 0 has no chain"):
        Batch.from_backbones([[]])
    with pytest.raises(ValueError, match="not made of backbones"):
        Batch(device="cpu").to_backbones()
