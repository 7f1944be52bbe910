import numpy as np
import pytest

from foldpix.evaluation.codebook import CodebookUse


def test_even_use_has_the_perplexity_of_its_size():
    use = CodebookUse(100)
    use.add(np.arange(30).reshape(5, 6))
    use.add(np.arange(30))
    assert use.codes_used == 30
    assert use.perplexity == pytest.approx(30)


def test_uneven_use():
    use = CodebookUse(8)
    use.add(np.array([[7, 7], [7, 0]]))
    assert use.codes_used == 2
    assert use.perplexity == pytest.approx(4 / 3**0.75)  # exp of -(3/4 log 3/4 + 1/4 log 1/4)
