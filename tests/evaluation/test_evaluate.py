import itertools
from math import ceil

import numpy as np
import pytest

from foldpix.evaluation.chains import Sample, StructureChain
from foldpix.evaluation.evaluate import Evaluation
from foldpix.evaluation.image_stage import image_stage
from foldpix.evaluation.reconstruct import ImageRoundTrips
from foldpix.structure import Backbone
from tests.evaluation.conftest import RoundingTokenizer, random_chain

LENGTHS = (41, 47, 48, 49, 64, 65, 41)


def chains():
    return [
        StructureChain(f"c{i}", Backbone(random_chain(length, i), "A" * length), 80.0)
        for i, length in enumerate(LENGTHS)
    ]


@pytest.fixture(scope="module")
def alone():
    """Records of chains evaluated one by one."""
    records = evaluated(chains(), 1, RoundingTokenizer()).records
    return {(record.id, record.stage): record for record in records}


def evaluated(some, batch_size, tokenizer=None):
    evaluation = Evaluation([ImageRoundTrips(tokenizer)] if tokenizer else [])
    for batch in evaluation.batches(some, batch_size):
        evaluation.add(image_stage(batch))
    return evaluation


class Broken:
    id, length = "broken", 41

    def load(self) -> Sample:
        raise OSError("gone")


@pytest.mark.parametrize(("batch_size", "seed"), [(2, 0), (2, 1), (100, 2)])
def test_results_do_not_depend_on_the_batch(batch_size, seed, alone, tokenizer):
    order = np.random.default_rng(seed).permutation(len(LENGTHS))[: len(LENGTHS) - seed]
    some = [chains()[i] for i in order]
    together = evaluated(some, batch_size, tokenizer)
    assert len(together.records) == 2 * len(some)
    assert all(record == alone[record.id, record.stage] for record in together.records)
    assert max(tokenizer.batch_sizes) > 1


def test_batches_hold_chains_of_one_padded_length(tokenizer):
    evaluation = Evaluation([ImageRoundTrips(tokenizer)])
    batches = [[chain.length for chain in batch] for batch in evaluation.batches(chains(), 3)]
    assert batches == [[41, 41, 47], [48], [49, 64], [65]]


def test_bits_and_codebook_use(tokenizer):
    evaluation = evaluated(chains()[:2], 2, tokenizer)
    for record in evaluation.records:
        num_tokens = 3 * record.length**2 + ceil(record.length / 4) ** 2
        assert record.num_tokens == (num_tokens if record.stage == "tokenizer" else 0)
        assert record.num_bits == (num_tokens * 6 if record.stage == "tokenizer" else 24 * record.length**2)
    assert [use.counts.sum() for use in evaluation.use["tokenizer"]] == [41**2 + 47**2] * 3 + [11**2 + 12**2]
    assert evaluation.use["tokenizer"][3].codes_used == 1


def test_a_coarse_tokenizer_is_worse_than_the_image(tokenizer):
    records = evaluated(chains(), 4, tokenizer).records
    by_stage = {
        stage: [record.closeness for record in group]
        for stage, group in itertools.groupby(sorted(records, key=lambda r: r.stage), key=lambda r: r.stage)
    }
    assert all(each.backbone_rmsd < 0.3 and each.right_handed for each in by_stage["image"])
    worse = [
        a.backbone_rmsd < b.backbone_rmsd
        for a, b in zip(by_stage["image"], by_stage["tokenizer"], strict=True)
    ]
    assert all(worse)


def test_an_unreadable_chain_is_listed_and_its_batch_goes_on(tokenizer):
    evaluation = evaluated([*chains(), Broken()], 4, tokenizer)
    assert evaluation.skipped == [("broken", "gone")]
    assert len(evaluation.records) == 2 * len(LENGTHS)


def test_a_batch_of_nothing_readable(tokenizer):
    evaluation = evaluated([Broken()], 4, tokenizer)
    assert (evaluation.records, evaluation.use, evaluation.skipped) == ([], {}, [("broken", "gone")])


def test_a_truth_from_the_image_measures_the_tokenizer_only(tokenizer):
    class FromImage:
        id, length = "c0", 41

        def load(self) -> Sample:
            loaded = chains()[0].load()
            return Sample(loaded.id, loaded.pixels, loaded.d_max, loaded.truth, from_image=True)

    records = evaluated([FromImage(), *chains()[1:2]], 4, tokenizer).records
    assert [(record.id, record.stage, record.truth) for record in records] == [
        ("c1", "image", "structure"),
        ("c0", "tokenizer", "picture"),
        ("c1", "tokenizer", "structure"),
    ]
