"""Chains of different sequences in one batch, against batches of one sequence each."""

import numpy as np
import pytest
import torch

from foldpix.generation import BatchedGenerator, generate_ragged

SEQUENCES = ["ACDEFGHIKLMNPQ", "GGA", "MKTAYIAKQRQISFVKSHFSRQ"]


@pytest.mark.parametrize("conformation", ["alpha", "domain", "random"])
def test_each_chain_is_that_of_a_batch_of_its_own(conformation):
    ragged = generate_ragged(SEQUENCES, 3, conformation, drift=4.0, start=7)
    for k, sequence in enumerate(SEQUENCES):
        alone = BatchedGenerator("-".join(sequence)).generate_batch(3, conformation, 4.0, start=7 + k)
        num = len(sequence)
        assert ragged.mask[k].tolist() == [True] * num + [False] * (22 - num)
        assert ragged.coords[k, :num].reshape(-1, 3) == pytest.approx(alone.coords[0], abs=1e-4)
        assert ragged.torsions[k, :num] == pytest.approx(alone.torsions[0], abs=1e-6)
        assert ragged.atom_mask[k, :num].ravel().tolist() == alone.atom_mask.tolist()
        assert ragged.labels[k] == alone.labels[0] and ragged.sequences[k] == sequence
        assert not ragged.coords[k, num:].any() and not ragged.torsions[k, num:].any()
        assert not ragged.atom_mask[k, num:].any()


def test_conformations_of_their_own():
    ragged = generate_ragged(["AAAA", "AAA"], 0, ["alpha", "HEC"])
    assert ragged.labels == ("HHHH", "HEC")
    assert np.degrees(ragged.torsions[0, :, :2]) == pytest.approx(np.tile([-57.0, -47.0], (4, 1)))


def test_compact_chains_and_backbones():
    ragged = generate_ragged(["ACDEFGHIKLMNPQRSTVWY" * 3] * 8, 1, compact=True)
    # Real compact ones of 50 to 65 residues have 1.04 times 2.2 L^0.38 in the mean.
    assert ragged.radius_of_gyration().mean() == pytest.approx(1.04 * 2.2 * 60**0.38, rel=0.08)
    first = ragged.to_backbones()[0]
    assert first.coords.shape == (60, 3, 3) and first.name == "chain_000000"
    ca = first.coords[:, 1].astype(np.float64)
    spread = np.sqrt(np.square(ca - ca.mean(axis=0)).sum(axis=1).mean())
    assert ragged.radius_of_gyration()[0] == pytest.approx(spread, rel=1e-5)


def test_torch_shares_the_memory():
    ragged = generate_ragged(SEQUENCES, 0)
    assert torch.from_dlpack(ragged.coords).data_ptr() == ragged.coords.ctypes.data


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), "no sequences"),
        (("ACDEF",), "give a list"),
        ((None,), "give a list"),
        ((["A\u0131"],), "unknown residue"),
        ((["ACD"], 0, None), "conformation None"),
        ((["ACD", ""],), "sequence 1 is ''"),
        ((["ACD", "AXC"],), "unknown residue 'X' in sequence 1"),
        ((["ACD"], -1), "seed=-1"),
        ((["ACD", "A"], 0, ["alpha"]), "1 conformations for 2 members"),
        ((["ACD"], 0, "HH"), "2 letters; 3 residues"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        generate_ragged(*arguments)


def test_given_torsions_cannot_be_folded():
    with pytest.raises(ValueError, match="compact=True cannot fold"):
        generate_ragged(["ACD"], 0, "alpha", compact=True)
