import numpy as np
import pytest
import torch

from foldpix.training.codebook_use import CodebookUse


def test_share_and_perplexity_against_numpy(rng):
    use = CodebookUse(50)
    seen = []
    for _ in range(3):
        codes = np.minimum(rng.geometric(0.1, size=(2, 5, 5)), 49)
        mask = rng.random((2, 5, 5)) < 0.6
        use.add(torch.from_numpy(codes), torch.from_numpy(mask))
        seen.append(codes[mask])
    _, counts = np.unique(np.concatenate(seen), return_counts=True)
    share = counts / counts.sum()
    used, perplexity = use.reset()
    assert used == pytest.approx(len(counts) / 50)
    assert perplexity == pytest.approx(np.prod(share**-share), rel=1e-5)


def test_even_use_has_as_many_codes_as_perplexity():
    use = CodebookUse(8)
    use.add(torch.arange(8).view(1, 2, 4).repeat(3, 1, 1), torch.ones(3, 2, 4, dtype=torch.bool))
    assert use.reset() == pytest.approx((1.0, 8.0))


def test_reset_forgets():
    use = CodebookUse(4)
    use.add(torch.tensor([[[0, 1], [2, 3]]]), torch.ones(1, 2, 2, dtype=torch.bool))
    use.reset()
    use.add(torch.tensor([[[2, 2], [2, 0]]]), torch.tensor([[[True, True], [True, False]]]))
    assert use.reset() == pytest.approx((0.25, 1.0))
    assert use.reset()[0] == 0.0  # nothing seen at all
