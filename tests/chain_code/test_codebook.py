import numpy as np
import pytest
from safetensors.numpy import save_file

import foldpix
from foldpix.chain_code import SHIPPED, Codebook, read_codebook, write_codebook
from foldpix.geometry import rmsd


@pytest.mark.parametrize("size", SHIPPED)
def test_shipped_codebooks(size):
    codebook = foldpix.load(size).codebook
    assert len(codebook) == size
    assert np.mean(codebook.counts > 0) >= 0.8
    peptide = np.linalg.norm(codebook.steps[:, 0], axis=-1)  # C lies at the origin of the frame
    used = codebook.counts > 0
    mean = np.average(peptide[used], weights=codebook.counts[used])
    assert mean == pytest.approx(1.33, abs=0.02 if size > 64 else 0.08)  # coarse steps bridge what they must
    bits = np.sum(codebook.counts * codebook.code_bits) / codebook.counts.sum()
    assert 0.85 * codebook.num_bits < bits <= codebook.num_bits


def test_shapes_are_the_residues_in_their_own_frames():
    codebook = foldpix.load(64).codebook
    for step, shape in zip(codebook.steps, codebook.shapes, strict=True):
        assert rmsd(shape, step.astype(np.float64)) < 1e-6
        assert np.allclose(shape[2], 0, atol=1e-6) and np.allclose(shape[1, :2], 0, atol=1e-6)


def test_a_file_of_ones_own(tmp_path):
    shipped = foldpix.load(16).codebook
    path = tmp_path / "own.safetensors"
    write_codebook(path, shipped)
    own = foldpix.load(path).codebook
    assert np.array_equal(own.steps, shipped.steps) and np.array_equal(own.counts, shipped.counts)
    assert own.fingerprint == shipped.fingerprint != foldpix.load(64).codebook.fingerprint


def test_no_codebook(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(FileNotFoundError):
        read_codebook(path)
    path.write_bytes(b"no tensors")
    with pytest.raises(ValueError, match="no codebook in safetensors format"):
        read_codebook(path)
    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"no codebook of format 1 \(found None\)"):
        read_codebook(path)
    for steps, counts, message in (
        (np.zeros((4, 9)), np.zeros(4), r"steps of shape \(4, 9\)"),
        (np.zeros((4, 3, 3)), np.zeros(5), r"counts of \(5,\) are no codebook"),
        (np.full((4, 3, 3), np.nan), np.zeros(4), "steps that are not finite"),
        (np.zeros((1, 3, 3)), np.zeros(1), "1 steps; a codebook has 2 to 65,536"),
    ):
        write_codebook(path, Codebook(steps, counts))
        with pytest.raises(ValueError, match=message):
            read_codebook(path)
    with pytest.raises(ValueError, match="no codebook of 100 codes comes with foldpix; there are 16, 64"):
        foldpix.load(100)
