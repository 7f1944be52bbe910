"""Made-up chains as ragged batches."""

import numpy as np
import pytest

from foldpix.generation import BatchedPeptide
from foldpix.generation.batches import to_batch
from foldpix.generation.ragged import RaggedPeptides


def ensemble(dtype=np.float32, **options) -> BatchedPeptide:
    coords = np.random.default_rng(0).standard_normal((4, 6, 3)).astype(dtype)
    names, numbers = ["N", "CA", "C"] * 2, [1] * 3 + [2] * 3
    return BatchedPeptide(coords, ["ALA", "GLY"], names, numbers, **options)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_ensemble_shares_its_memory(dtype):
    torsions = np.random.default_rng(1).standard_normal((4, 2, 3))
    peptides = ensemble(dtype, torsions=torsions, members=np.arange(4) + 7)
    batch = to_batch(peptides)
    assert batch.num_nodes_list == [6] * 4
    assert batch.positions.data_ptr() == peptides.coords.ctypes.data
    assert np.array_equal(batch[2].positions.numpy(), peptides.coords[2])
    assert np.array_equal(batch[3].torsions.numpy(), torsions[3])
    assert batch.members.tolist() == [7, 8, 9, 10]
    assert to_batch(ensemble()).keys["system"] == set()


def test_members_in_another_order():
    peptides = ensemble()[::-1]
    assert np.array_equal(to_batch(peptides)[0].positions.numpy(), peptides.coords[0])


@pytest.mark.parametrize("lengths", [[3, 5, 2], [4, 4, 4]])
def test_ragged_chains_leave_their_padding(lengths):
    rng, longest = np.random.default_rng(0), max(lengths)
    mask = np.arange(longest) < np.array(lengths)[:, None]
    coords = rng.standard_normal((3, longest, 5, 3)).astype(np.float32)
    peptides = RaggedPeptides(
        coords=coords,
        mask=mask,
        atom_mask=np.repeat(mask[..., None], 5, axis=-1),
        torsions=rng.standard_normal((3, longest, 3)),
        sequences=tuple("A" * length for length in lengths),
        labels=tuple("C" * length for length in lengths),
        num_clashes=np.zeros(3, dtype=np.int64),
        seed=0,
        members=np.arange(3),
    )
    batch = to_batch(peptides)
    assert batch.lengths("residue").tolist() == lengths
    assert (batch.coords.data_ptr() == coords.ctypes.data) == mask.all()
    for number, length in enumerate(lengths):
        assert np.array_equal(batch[number].coords.numpy(), coords[number, :length])
        assert np.array_equal(batch[number].torsions.numpy(), peptides.torsions[number, :length])
    assert batch.atom_mask.all()
