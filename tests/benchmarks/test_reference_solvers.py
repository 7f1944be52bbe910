"""The solvers that ours are compared with do what their names say."""

import numpy as np
import pytest

from benchmarks.reference.frames import decode_frame_ls, decode_mds, decode_smacof
from benchmarks.reference.mds import decode_cb
from benchmarks.reference.smacof import decode_cb_known
from foldpix.generation import sample_backbones
from foldpix.geometry import rmsd, virtual_cb
from foldpix.image import encode


@pytest.fixture(params=range(3))
def coords(request) -> np.ndarray:
    return next(sample_backbones(1, 60, 100, seed=request.param)).coords.astype(np.float64)


@pytest.mark.parametrize("solver", [decode_mds, decode_smacof, decode_frame_ls])
def test_ideal_residues_come_back_with_their_hand(coords, solver):
    """Made-up chains have nearly ideal bonds, so that only these small differences remain."""
    for truth in (coords, coords * [1, 1, -1]):
        decoded = solver(encode(truth, 500.0), 500.0)
        assert rmsd(decoded.reshape(-1, 3), truth.reshape(-1, 3)) < 0.05


def test_cut_off_distances_bend_mds_but_not_smacof(coords):
    cb = virtual_cb(coords)
    d_max = 0.85 * np.max(np.linalg.norm(cb[:, None] - cb[None], axis=-1))
    image = encode(coords, d_max)

    def error(points: np.ndarray) -> float:
        return min(rmsd(points * hand, cb) for hand in (1, -1))

    assert error(decode_cb(image, d_max)) > 0.2
    assert error(decode_cb_known(image, d_max)) < 0.02


def test_least_squares_average_errors_of_distances_out(coords):
    noise = np.random.default_rng(0).normal(0, 4 / 127.5, (3, *[len(coords)] * 2))
    image = encode(coords) + noise
    before, after = (
        rmsd(solver(image).reshape(-1, 3), coords.reshape(-1, 3)) for solver in (decode_mds, decode_frame_ls)
    )
    assert after < before
