"""What biotite measures on a thousand chains of 128 residues of each kind."""

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import BatchedGenerator

SEQUENCE = ("ACDEFGHIKLMNPQRSTVWYAELKG" * 6)[:128]
# Engh & Huber (1991, 2001); the oxygen's angle is that of residues in the middle of a chain.
LENGTHS = {"N-CA": 1.459, "CA-C": 1.525, "C-N": 1.331, "C-O": 1.231, "CA-CB": 1.530}
ANGLES = {"N-CA-C": 111.0, "CA-C-N": 117.0, "C-N-CA": 121.6, "CA-C-O": 120.1}
LETTERS = ("CHHHHHHHHHHHHTTEEEEEETTEEEEEECCGGGC" * 4)[:128]


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"conformation": "domain", "compact": True},
        {"conformation": "random"},
        {"conformation": LETTERS, "compact": True},
        {"conformation": "alpha", "drift": 5.0, "avoid_clashes": True},
    ],
    ids=["domain", "random", "letters", "alpha"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_thousand_chains(options, dtype):
    batch = BatchedGenerator(SEQUENCE, 1000).generate_batch(seed=1, dtype=dtype, **options)
    found = batch.validate()
    for name, length in LENGTHS.items():
        assert found[name].worst == pytest.approx(length, abs=0.01)
    for name, angle in ANGLES.items():
        assert found[name].worst == pytest.approx(angle, abs=0.5)
    for name in ("O-C-N", "N-CA-CB", "C-CA-CB"):
        assert found[name].worst == pytest.approx(found[name].target, abs=0.5)
    assert found["cis peptides"].num_outliers == 0
    assert found["chirality at CA"].num_outliers == 0
    assert found["clashes"].num_outliers == 0  # heavy pairs under 2.2 A, neither bonded nor 1-3
    n, ca, c = np.moveaxis(batch.by_residue()[0][:, :, :3], 2, 0)
    torsions = (
        (struc.dihedral(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:]), batch.torsions[:, 1:, 0]),
        (struc.dihedral(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:]), batch.torsions[:, :-1, 1]),
        (struc.dihedral(ca[:, :-1], c[:, :-1], n[:, 1:], ca[:, 1:]), batch.torsions[:, :-1, 2]),
    )
    for measured, asked in torsions:
        apart = np.degrees(np.abs(np.angle(np.exp(1j * (measured.astype(float) - asked)))))
        assert apart.max() < (0.1 if dtype is np.float32 else 0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sequence", "clashes"),
    # Proline's CD runs into O four residues before it in a helix, whatever the side chains do.
    [(SEQUENCE[:64].replace("P", "S"), 0.1), (SEQUENCE[:64], 1.5)],
    ids=["without proline", "with proline"],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_two_hundred_chains_with_all_atoms(sequence, clashes, dtype):
    batch = BatchedGenerator(sequence, 200, full_atom=True).generate_batch(
        seed=1, conformation="domain", dtype=dtype
    )
    found = batch.validate()
    assert [check.name for check in found.checks if not check.ok] in ([], ["clashes"])
    assert found["clashes"].num_outliers < clashes * len(batch)
    assert abs(found["side-chain bonds"].worst) < 0.001
    for name in ("ILE", "THR"):
        assert found[f"chirality at CB of {name}"].worst == pytest.approx(120.0, abs=0.5)
