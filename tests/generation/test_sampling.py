import numpy as np
import pytest

from foldpix.generation.laws import TorsionLaws
from foldpix.generation.sampling import draw_torsions

MEMBERS = np.arange(20_000)


def laws(which, weights, mean, spread, cutoff=np.inf):
    cumulative = np.cumsum(weights, axis=1).astype(np.float32)
    return TorsionLaws(np.array(which, dtype=np.int32), cumulative, np.array(mean), np.array(spread), cutoff)


@pytest.fixture
def mixture():
    """Two residues: one of a single component, one of two of which the second is correlated."""
    return laws(
        [[0, 1]],
        [[1.0, 0.0], [0.3, 0.7]],
        [[[-1.0, -0.8, 3.1], [0, 0, 0]], [[1.0, 0.5, 3.1], [-1.2, 2.3, 3.1]]],
        [[[0.1, 0.0, 0.2, 0.05], [0, 0, 0, 0]], [[0.1, 0.0, 0.1, 0.05], [0.2, -0.15, 0.1, 0.05]]],
    )


def test_one_component(mixture):
    phi, psi, omega = draw_torsions(mixture, 1, MEMBERS, np.float64)[:, 0].T
    assert [phi.mean(), psi.mean(), omega.mean()] == pytest.approx([-1.0, -0.8, 3.1], abs=0.006)
    assert [phi.std(), psi.std(), omega.std()] == pytest.approx([0.1, 0.2, 0.05], rel=0.02)
    assert np.corrcoef(phi, psi)[0, 1] == pytest.approx(0.0, abs=0.03)


def test_components_have_their_shares_and_correlations(mixture):
    phi, psi, _ = draw_torsions(mixture, 1, MEMBERS, np.float64)[:, 1].T
    second = phi < 0
    assert second.mean() == pytest.approx(0.7, abs=0.015)
    phi, psi = phi[second], psi[second]
    assert [phi.mean(), psi.mean()] == pytest.approx([-1.2, 2.3], abs=0.01)
    covariance = [[0.2**2, -0.2 * 0.15], [-0.2 * 0.15, 0.15**2 + 0.1**2]]
    assert np.cov(phi, psi) == pytest.approx(np.array(covariance), rel=0.06)


def test_a_member_depends_on_its_number_alone(mixture):
    whole = draw_torsions(mixture, 5, np.arange(40))
    assert whole.dtype == np.float32
    assert np.array_equal(draw_torsions(mixture, 5, np.array([31, 7])), whole[[31, 7]])
    own = mixture._replace(which=np.repeat(mixture.which, 40, axis=0))
    assert np.array_equal(draw_torsions(own, 5, np.arange(40)), whole)


def test_without_spread_members_are_alike():
    fixed = laws([[0, 0]], [[1.0]], [[[-1.0, -0.8, 3.1]]], [[[0.0, 0.0, 0.0, 0.0]]])
    torsions = draw_torsions(fixed, 0, np.arange(3), np.float64)
    assert np.array_equal(torsions, np.broadcast_to([-1.0, -0.8, 3.1], (3, 2, 3)))


def test_fitted_laws_are_cut_off(mixture):
    phi, psi, omega = draw_torsions(mixture._replace(cutoff=2.5), 1, MEMBERS, np.float64)[:, 0].T
    assert np.abs(phi + 1.0).max() == pytest.approx(0.25) and np.abs(psi + 0.8).max() == pytest.approx(0.5)
    assert np.abs(omega - 3.1).max() == pytest.approx(0.125)
