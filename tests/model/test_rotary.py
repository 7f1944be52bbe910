"""Our rotary embedding against rotary-embedding-torch and its defining property."""

import pytest
import torch
from rotary_embedding_torch import apply_rotary_emb

from foldpix.model.rotary import BASE, axial_phases, rotate


def test_agrees_with_an_independent_implementation():
    height, width, head_dim = 3, 5, 8
    frequency = BASE ** (-torch.arange(2.0) / 2)
    grid = torch.cartesian_prod(torch.arange(3.0), torch.arange(5.0))
    angles = torch.cat([grid[:, :1] * frequency, grid[:, 1:] * frequency], dim=-1).repeat_interleave(
        2, dim=-1
    )
    x = torch.randn(2, 4, height * width, head_dim, generator=torch.manual_seed(0))
    ours = rotate(x, axial_phases(height, width, head_dim, x.device))
    assert torch.allclose(ours, apply_rotary_emb(angles, x), atol=1e-5)


def test_scores_depend_on_relative_places_alone():
    q, k = torch.randn(2, 1, 1, 1, 16, generator=torch.manual_seed(0))
    phases = axial_phases(6, 6, 16, q.device)
    turned_q = rotate(q.expand(1, 1, 36, 16), phases)[0, 0].unflatten(0, (6, 6))
    turned_k = rotate(k.expand(1, 1, 36, 16), phases)[0, 0].unflatten(0, (6, 6))
    here, there = turned_q[1, 2] @ turned_k[3, 1], turned_q[2, 4] @ turned_k[4, 3]
    assert here == pytest.approx(float(there), abs=1e-4)
    assert abs(float(turned_q[1, 2] @ turned_k[1, 3]) - float(here)) > 1e-3


def test_padding_moves_no_cell():
    small, large = axial_phases(2, 3, 8, torch.device("cpu")), axial_phases(4, 9, 8, torch.device("cpu"))
    assert torch.equal(small.unflatten(0, (2, 3)), large.unflatten(0, (4, 9))[:2, :3])


def test_low_precision_loses_only_rounding():
    x = torch.randn(1, 1, 64 * 64, 16, generator=torch.manual_seed(0))
    phases = axial_phases(64, 64, 16, x.device)
    error = rotate(x.bfloat16(), phases).float() - rotate(x, phases)
    assert error.abs().max() < 0.05
