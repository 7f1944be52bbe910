"""What biotite measures on a thousand chains of 128 residues of each kind."""

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation import BatchedGenerator

SEQUENCE = ("ACDEFGHIKLMNPQRSTVWYAELKG" * 6)[:128]
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
    for name in ("N-CA", "CA-C", "C-N", "C-O", "CA-CB"):
        assert found[name].worst == pytest.approx(found[name].target, abs=0.01)
    for name in ("N-CA-C", "CA-C-N", "C-N-CA", "CA-C-O", "O-C-N", "N-CA-CB", "C-CA-CB"):
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
