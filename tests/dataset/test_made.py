from pathlib import Path

import numpy as np
import pytest

from foldpix.dataset import made_shards
from foldpix.dataset.bins import bin_name
from foldpix.dataset.made import ChainOptions, Stopped, build, is_val, lengths_of
from foldpix.dataset.made_shards import MadeShards
from foldpix.generation.chains import CHUNK


def chains(**options):
    defaults = {"seed": 0, "start": 0, "min_length": 40, "max_length": 128, "compact": True}
    return ChainOptions(**(defaults | {"valid_frac": 0.05} | options))


def shards(root=Path("/data"), shard_size=50, **options):
    return MadeShards(root, chains(**options), d_max=80.0, shard_size=shard_size)


def plan(made, num):
    return {unit.rows: unit.numbers.tolist() for unit in made.units(num)}


@pytest.mark.parametrize("valid_frac", [0.001, 0.05, 0.1, 1 / 3, 0.999])
@pytest.mark.parametrize("seed", [0, 1, 2**64 - 1])
def test_every_thousand_holds_its_share(seed, valid_frac):
    val = is_val(np.arange(4000), chains(seed=seed, valid_frac=valid_frac)).reshape(4, 1000)
    assert (val.sum(axis=1) == round(1000 * valid_frac)).all()
    assert any((val[0] != other).any() for other in val[1:])


def test_a_run_of_chains_holds_its_share_nearly(rng):
    val = is_val(np.arange(20_000), chains(valid_frac=0.07))
    for begin, length in rng.integers(1, 10_000, size=(200, 2)):
        assert abs(val[begin : begin + length].sum() - 0.07 * length) <= 2
    assert not is_val(np.arange(3000), chains(valid_frac=0.0)).any()


def test_validation_chains_are_drawn_anywhere_in_the_thousand():
    """Each place of a stratum of ten is as likely."""
    places = np.flatnonzero(is_val(np.arange(200_000), chains(valid_frac=0.1))) % 10
    counts = np.bincount(places, minlength=10)
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(2000 * 0.9)


def test_a_split_is_the_chains_own(rng):
    numbers = np.sort(rng.choice(5000, size=300, replace=False))
    options = chains(seed=3)
    assert (is_val(numbers, options) == is_val(np.arange(5000), options)[numbers]).all()


@pytest.mark.parametrize(("num", "start"), [(1, 0), (999, 0), (2500, 0), (2500, 777), (1, 1_000_000)])
def test_every_chain_is_in_one_shard_of_its_bin_and_split(num, start, monkeypatch):
    monkeypatch.setattr(made_shards, "BLOCK", 1000)
    made = shards(start=start)
    units = list(made.units(num))
    assert sorted(np.concatenate([unit.numbers for unit in units])) == list(range(start, start + num))
    for unit in units:
        assert unit.rows.name.startswith(f"{unit.split}-") and 1 <= len(unit.numbers) <= 50
        assert (is_val(unit.numbers, made.chains) == (unit.split == "val")).all()
        assert {bin_name(length) for length in lengths_of(unit.numbers, made.chains)} == {
            unit.rows.parent.name
        }
        assert (np.diff(unit.numbers) > 0).all()
    for folder in {unit.rows.parent for unit in units}:
        for split in ("train", "val"):
            names = [unit.rows.name for unit in units if (unit.rows.parent, unit.split) == (folder, split)]
            assert sorted(names) == [f"{split}-{number:06d}.csv" for number in range(len(names))]


def test_more_chains_only_add(monkeypatch):
    monkeypatch.setattr(made_shards, "BLOCK", 1000)
    made = shards()
    few, more, many = (plan(made, num) for num in (1000, 1300, 3000))
    assert few.items() < many.items()
    assert all(many[rows][: len(numbers)] == numbers for rows, numbers in more.items())
    endless = made.units(None)
    assert {unit.rows: unit.numbers.tolist() for unit, _ in zip(endless, many, strict=False)} == many


def test_the_first_shards_hold_every_bin_and_split():
    """So that a run without end that is stopped early can be trained on."""
    first = [
        (unit.rows.parent.name, unit.split)
        for unit, _ in zip(shards(shard_size=1000).units(None), range(4), strict=False)
    ]
    bins = ("bin_40_64", "bin_65_128")
    assert set(first) == {(bin, split) for bin in bins for split in ("train", "val")}


def test_chains_come_in_order_and_depend_on_no_other(rng):
    options = chains(seed=4, max_length=60)
    numbers = np.arange(10, 10 + CHUNK + 6)
    made = list(build(numbers, options, lambda: False))
    assert [chain.number for chain in made] == numbers.tolist()
    assert [len(chain.backbone) for chain in made] == lengths_of(numbers, options).tolist()
    assert all(len(chain.labels) == len(chain.backbone) for chain in made)
    (alone,) = build(numbers[7:8], options, lambda: False)
    assert (alone.backbone.coords == made[7].backbone.coords).all()
    assert (alone.backbone.sequence, alone.labels) == (made[7].backbone.sequence, made[7].labels)


def test_building_stops_when_told():
    with pytest.raises(Stopped):
        next(build(np.arange(3), chains(), lambda: True))
