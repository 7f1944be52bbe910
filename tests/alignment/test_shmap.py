"""The functions of flat batches, on one and on two devices."""

import numpy as np
import pytest

from foldpix.alignment import shmap, spec_starts
from tests.alignment.reference import gaussians, tanimoto
from tests.conftest import run_jax


def batch(num_pairs=3):
    """Padded clouds as the volume function takes them, of 5 to 8 points."""
    rng = np.random.default_rng(3)
    masks = [np.arange(8) < rng.integers(5, 9, (num_pairs, 1)) for _ in range(2)]
    clouds = [1.5 * rng.standard_normal((num_pairs, 8, 3)) * mask[..., None] for mask in masks]
    own = [
        [gaussians(x[m], x[m], 0.81) for x, m in zip(c, k, strict=True)]
        for c, k in zip(clouds, masks, strict=True)
    ]
    starts = [spec_starts(r[m], f[k], 8) for r, f, m, k in zip(*clouds, *masks, strict=True)]
    return *(c.astype(np.float32) for c in clouds), *masks, *np.array(own), np.array(starts)


def test_volumes():
    ref, fit, of_ref, of_fit, *rest = batch()
    aligned, transforms, scores = shmap.optimize_ROCS_overlay_jax_vol_shmap(
        ref, fit, of_ref, of_fit, *rest, 0.81, 0.1, 100
    )
    assert aligned.shape == (3, 8, 3) and transforms.shape == (3, 4, 4) and scores.shape == (3,)
    assert aligned.dtype == transforms.dtype == scores.dtype == np.float32
    for k in range(3):
        assert scores[k] == pytest.approx(tanimoto(ref[k][of_ref[k]], aligned[k][of_fit[k]], 0.81), abs=1e-5)


def scores_on_two_devices(_):
    import jax

    assert len(jax.devices()) == 2
    ref, fit, *rest = batch(3)  # two devices do not divide three pairs
    return shmap.optimize_ROCS_overlay_jax_vol_shmap(ref, fit, *rest, 0.81, 0.1, 100)[2]


def test_two_devices_give_the_same(monkeypatch):
    monkeypatch.setenv("JAX_NUM_CPU_DEVICES", "2")
    setup = "from tests.alignment.test_shmap import scores_on_two_devices"
    there = run_jax("scores_on_two_devices(x)", np.zeros(1), setup=setup)
    ref, fit, *rest = batch(3)
    here = shmap.optimize_ROCS_overlay_jax_vol_shmap(ref, fit, *rest, 0.81, 0.1, 100)[2]
    np.testing.assert_allclose(there, here, atol=1e-6)


@pytest.mark.slow
def test_charges_in_columns_or_not(rng):
    ref, fit, of_ref, of_fit, *rest = batch()
    charges = 0.3 * rng.standard_normal((2, 3, 8))
    flat, column = (
        shmap.optimize_ROCS_esp_overlay_jax_vol_esp_shmap(
            ref, fit, *q, of_ref, of_fit, *rest, 0.81, 0.1, 0.1, 50
        )
        for q in (charges, charges[..., None])
    )
    assert (flat[2] == column[2]).all()
    far = shmap.optimize_ROCS_esp_overlay_jax_surf_esp_shmap(ref, fit, *charges, *rest, 0.81, 1e6, 0.1, 50)
    plain = shmap.optimize_ROCS_overlay_jax_surf_shmap(ref, fit, *rest, 0.81, 0.1, 50)
    np.testing.assert_allclose(far[2], plain[2], atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("similarity", ["tanimoto", "tversky_fit"])
def test_pharmacophores(similarity, rng):
    ref, fit, of_ref, of_fit, *rest = batch()
    types, vectors = rng.integers(0, 4, (2, 3, 8)), rng.standard_normal((2, 3, 8, 3))
    anchors, turned, transforms, scores = shmap.optimize_pharm_overlay_jax_pharm_shmap(
        *types, ref, fit, *vectors, of_ref, of_fit, *rest, similarity, False, False, 0.1, 100, method="newton"
    )
    assert anchors.shape == turned.shape == (3, 8, 3) and ((scores > 0) & (scores <= 1)).all()
    np.testing.assert_allclose(turned, vectors[1] @ transforms[:, :3, :3].swapaxes(1, 2), atol=1e-5)
    with pytest.raises(ValueError, match="tanimoto"):
        shmap.optimize_pharm_overlay_jax_pharm_shmap(
            *types, ref, fit, *vectors, of_ref, of_fit, *rest, "cosine", False, False, 0.1, 100
        )
