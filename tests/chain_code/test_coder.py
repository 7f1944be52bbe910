import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import foldpix
from foldpix.chain_code import SHIPPED, ChainCode, ChainCoder
from foldpix.evaluation.metrics import backbone_rmsd, is_right_handed
from foldpix.structure import Backbone, read_structure, write_structure
from tests.evaluation.conftest import random_chain, rigidly_moved


@pytest.fixture(scope="module")
def coder():
    return foldpix.load(256)


def backbone(length, seed=0):
    return Backbone(random_chain(length, seed), ("AGW" * length)[:length], "x", "B")


@pytest.mark.parametrize("size", SHIPPED)
def test_there_and_back(size):
    coder = foldpix.load(size)
    chain = backbone(90)
    code = coder.encode(chain)
    back = coder.decode(code)
    assert (back.sequence, back.name, back.chain) == (chain.sequence, "x", "B")
    assert code.codes.dtype == np.uint16 and code.codes.max() < size
    assert backbone_rmsd(back.coords, chain.coords) <= code.deviation + 1e-4
    limits = {
        16: 3.0,
        64: 1.2,
        256: 0.7,
        1024: 0.45,
        4096: 0.3,
    }  # made-up chains are less regular than real ones
    assert code.deviation < limits[size]
    assert is_right_handed(back.coords, chain.coords)
    assert coder.num_bits(code) == 90 * np.log2(size)


@pytest.mark.parametrize("length", [1, 2, 3, 1500])
def test_any_length(coder, length):
    chain = backbone(length, 2)
    back = coder.decode(coder.encode(chain))
    assert len(back) == length
    assert backbone_rmsd(back.coords, chain.coords) < 0.6


@given(seed=st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_the_frame_does_not_matter(seed):
    coder = foldpix.load(256)
    chain = backbone(60, seed)
    moved = Backbone(rigidly_moved(chain.coords, seed), chain.sequence)
    ours, theirs = coder.encode(chain), coder.encode(moved)
    assert np.mean(ours.codes == theirs.codes) > 0.9  # ties within rounding may fall either way
    assert theirs.deviation == pytest.approx(ours.deviation, abs=0.02)


def test_twice_the_same(coder):
    chain = backbone(200, 5)
    one, two = coder.encode(chain), foldpix.load(256).encode(chain)
    assert np.array_equal(one.codes, two.codes)
    assert np.array_equal(coder.decode(one).coords, coder.decode(two).coords)


def test_the_mirror_image_comes_back_as_the_mirror_image(coder):
    chain = backbone(80, 1)
    mirrored = chain.coords * np.array([-1, 1, 1], dtype=np.float32)
    back = coder.decode(coder.encode(Backbone(mirrored, chain.sequence)))
    assert is_right_handed(back.coords, mirrored)


def broken(turn=0.0):
    """Three stretches, moved apart: two breaks."""
    chain = backbone(90, 4)
    coords = chain.coords.copy()
    coords[30:] += np.array([20.0, -7.0, 3.0])
    rotation = Rotation.from_rotvec([turn, 0.3, 0.0]).as_matrix()
    coords[61:] = coords[61:] @ rotation.T + 5.0
    return Backbone(coords, chain.sequence)


@pytest.mark.parametrize("turn", [0.0, 1.0, np.pi])
def test_breaks(coder, turn):
    chain = broken(turn)
    code = coder.encode(chain)
    assert code.breaks.tolist() == [30, 61]
    assert code.poses.dtype == np.int16 and code.poses.shape == (2, 6)
    back = coder.decode(code)
    assert backbone_rmsd(back.coords, chain.coords) < 0.4
    assert (back.chain_breaks + 1).tolist() == [30, 61]
    assert coder.num_bits(code) == 90 * 8 + 2 * 96


def test_a_file(coder, tmp_path):
    chain = backbone(50)
    path = tmp_path / "x.pdb"
    write_structure(path, chain)
    assert np.array_equal(coder.encode(path).codes, coder.encode(read_structure(path)[0]).codes)
    lines = path.read_text().splitlines()
    second = [line[:21] + "C" + line[22:] if line.startswith("ATOM") else line for line in lines]
    path.write_text("\n".join([*lines[:-1], *second]))
    with pytest.raises(ValueError, match="has the chains B, C; give one of"):
        coder.encode(path)


def spoiled(**changes):
    whole = {"codes": np.zeros(5, dtype=np.uint16), "sequence": "AAAAA", **changes}
    return ChainCode(**whole)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (spoiled(sequence="AAAA"), "5 codes for 4 residues"),
        (spoiled(codes=np.zeros(0, dtype=np.uint16), sequence=""), "0 codes for 0 residues"),
        (spoiled(codes=np.array([0, 1, 256, 3, 4])), "code 256 is none of this codebook's 0 to 255"),
        (spoiled(codes=np.array([0, 1, -1, 3, 4])), "code -1 is none of"),
        (spoiled(breaks=np.array([0]), poses=np.zeros((1, 6))), r"breaks \[0\] must rise from 1 to 4"),
        (spoiled(breaks=np.array([5]), poses=np.zeros((1, 6))), r"breaks \[5\] must rise"),
        (spoiled(breaks=np.array([3, 2]), poses=np.zeros((2, 6))), r"breaks \[3, 2\] must rise"),
        (spoiled(breaks=np.array([2])), r"1 breaks with poses of shape \(0, 6\)"),
    ],
)
def test_codes_that_are_none(coder, code, message):
    with pytest.raises(ValueError, match=message):
        coder.decode(code)


def test_backbones_that_cannot_be_coded(coder):
    coords = random_chain(20, 0)
    gone, flat, far = coords.copy(), coords.copy(), coords.copy()
    gone[7, 1] = np.nan
    flat[3] = [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    far[10:] += 400.0
    for spoilt, message in (
        (gone, r"residue 7 \(from 0\) lacks N, CA or C; leave it out"),
        (flat, r"residue 3 \(from 0\) lie on a line"),
        (far, "a chain break of 69[0-9] angstrom; at most 328"),
    ):
        with pytest.raises(ValueError, match=message):
            coder.encode(Backbone(spoilt, "A" * 20))


def test_no_beam(coder):
    with pytest.raises(ValueError, match="num_beams=0 must be at least 1"):
        ChainCoder(coder.codebook, 0)


@pytest.mark.slow
def test_real_chains(real_structures):
    coder = foldpix.load()
    files = sorted((real_structures / "chains").glob("*.gz"))[::100]
    gapped = sorted((real_structures / "chains_gapped").glob("*.gz"))[::50]
    deviations = []
    for file in [*files, *gapped]:
        (chain,) = read_structure(file)
        code = coder.encode(chain)
        assert np.array_equal(code.breaks, chain.chain_breaks + 1)
        assert backbone_rmsd(coder.decode(code).coords, chain.coords) <= code.deviation + 1e-3
        deviations.append(code.deviation)
    assert np.mean(deviations) < 0.11 and max(deviations) < 0.3
