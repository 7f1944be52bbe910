import numpy as np
import pytest
import torch
from biotite.structure import angle, dihedral, distance, gyration_radius

from foldpix.generation.peptide import BatchedPeptide
from foldpix.geometry import virtual_cb
from foldpix.structure import read_structure
from tests.conftest import run_jax
from tests.generation.peptides import ATOMS, backbone, drawn, helix, peptide_of

ALA_GLY = (["ALA", "GLY"], ["N", "CA", "C", "O"] * 2, [1] * 4 + [2] * 4)


def small(num=3):
    return BatchedPeptide(np.arange(num * 24.0).reshape(num, 8, 3), *ALA_GLY)


def test_documented_arguments_and_fields():
    coords = np.random.default_rng(0).standard_normal((3, 8, 3)).astype(np.float32)
    batch = BatchedPeptide(coords, *ALA_GLY)
    assert batch.coords is coords
    assert (len(batch), batch.n_structures, batch.n_atoms, batch.n_residues) == (3, 3, 8, 2)
    assert batch.sequence == ["ALA", "GLY"]
    assert batch.atom_names == ["N", "CA", "C", "O"] * 2
    assert batch.residue_indices == [1, 1, 1, 1, 2, 2, 2, 2]
    assert batch.atom_chain_ids == ["A"] * 8
    assert batch.atom_mask.all()
    assert BatchedPeptide(coords, *ALA_GLY, ["B"] * 8).atom_chain_ids == ["B"] * 8
    assert BatchedPeptide(coords.tolist(), *ALA_GLY).coords.dtype == np.float64
    assert "3 structures of 2 residues and 8 atoms" in repr(batch)


def test_metadata_cannot_be_changed_by_mistake():
    names = ["ALA", "GLY"]
    batch = BatchedPeptide(np.zeros((1, 8, 3)), names, *ALA_GLY[1:])
    names[0] = batch.sequence[0] = batch.atom_names[0] = "XXX"
    assert (batch.sequence, batch.atom_names[0]) == (["ALA", "GLY"], "N")
    with pytest.raises(AttributeError):
        batch.sequence = ["GLY", "GLY"]
    with pytest.raises(ValueError, match="read-only"):
        batch.atom_mask[0] = False


def test_iteration_ends():
    batch = small()
    members = list(batch)
    assert len(members) == 3
    assert all(len(member) == 1 for member in members)
    np.testing.assert_array_equal(np.concatenate([member.coords for member in members]), batch.coords)


@pytest.mark.parametrize("index", [0, 2, -1, -3, np.int64(1), np.uint8(2), np.array(1), torch.tensor(1)])
def test_a_number_gives_a_view_of_one(index):
    batch = small()
    one = batch[index]
    assert (len(one), one.coords.shape, one.sequence) == (1, (1, 8, 3), ["ALA", "GLY"])
    np.testing.assert_array_equal(one.coords[0], batch.coords[int(index)])
    assert np.shares_memory(one.coords, batch.coords)


@pytest.mark.parametrize("index", [3, -4, 100, np.int64(3), [3], [0, -4], [True] * 4, (0, 1), 1.0, "0", None])
def test_no_such_member(index):
    with pytest.raises(IndexError):
        small()[index]


CHOICES = [slice(1, 3), slice(None, None, 2), [0, 2], [2, 2, 0, -1], [True, False, True], [], [False] * 3]


@pytest.mark.parametrize("index", CHOICES, ids=str)
def test_subsets_take_what_belongs_to_their_members(index):
    members = np.array([5, 7, 11])
    batch = helix(3, 6, members=members, num_clashes=members * 2, labels=["HHHHHH", "EEEEEE", "CCCCCC"])
    batch.torsions = np.random.default_rng(0).standard_normal((3, 6, 3))
    expected = np.arange(3)[np.array(index, dtype=int) if index == [] else index]
    subset = batch[index]
    assert len(subset) == len(expected)
    for name in ("coords", "torsions", "members", "num_clashes"):
        np.testing.assert_array_equal(getattr(subset, name), getattr(batch, name)[expected])
    assert subset.labels == tuple(batch.labels[k] for k in expected)
    assert np.shares_memory(subset.coords, batch.coords) == isinstance(index, slice)
    assert subset.seed is None
    assert small()[index].members is None


def test_missing_extras_stay_missing_and_the_seed_stays():
    batch = helix(3, 4, seed=1)[1]
    assert (batch.torsions, batch.labels, batch.members, batch.num_clashes) == (None,) * 4
    coords = np.zeros((2, 8, 3))
    assert BatchedPeptide(coords, *ALA_GLY, seed=2**60)[0].seed == 2**60


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"coords": np.zeros((8, 3))}, r"shape \(8, 3\); a batch needs \(B, N, 3\)"),
        ({"coords": np.zeros((1, 8, 4))}, r"a batch needs \(B, N, 3\)"),
        ({"coords": np.zeros((1, 0, 3))}, "N of 1 or more"),
        ({"sequence": ["ALA"]}, "2 residues apart and the sequence has 1"),
        ({"sequence": "AG"}, "a list of residue names"),
        ({"atom_names": ["N"] * 7}, "atom_names has 7 entries and coords have 8 atoms"),
        ({"residue_indices": [1] * 9}, "residue_indices has 9 entries"),
        (
            {"residue_indices": [1.5] * 8},
            r"residue_indices are float64, such as .*1\.5.*; they must be whole",
        ),
        ({"residue_indices": [1] * 8}, "1 residues apart and the sequence has 2"),
        ({"residue_indices": [0] * 4 + [1] * 4}, "residue_indices count from 1"),
        ({"atom_chain_ids": ["A"]}, "atom_chain_ids has 1 entries"),
        ({"atom_mask": [True]}, "atom_mask has 1 entries"),
        ({"torsions": np.zeros((2, 3, 3))}, r"torsions has shape \(2, 3, 3\); this batch needs \(2, 2, 3\)"),
        ({"labels": ["HH"]}, "labels must be 2 strings of 2 letters"),
        ({"labels": ["HH", "HHH"]}, "labels must be 2 strings of 2 letters"),
        ({"members": [1, 2, 3]}, r"members has shape \(3,\)"),
        ({"num_clashes": 1}, r"num_clashes has shape \(\)"),
    ],
)
def test_what_does_not_fit_together(changed, message):
    names = ("sequence", "atom_names", "residue_indices")
    arguments = {"coords": np.zeros((2, 8, 3)), **dict(zip(names, ALA_GLY, strict=True)), **changed}
    with pytest.raises(ValueError, match=message):
        BatchedPeptide(**arguments)


def test_residues_of_two_chains_may_have_the_same_number():
    batch = BatchedPeptide(np.zeros((1, 2, 3)), ["GLY", "GLY"], ["CA", "CA"], [1, 1], ["A", "B"])
    assert batch.n_residues == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_torch_shares_the_memory(dtype):
    batch = BatchedPeptide(np.zeros((2, 8, 3), dtype=dtype), *ALA_GLY)
    tensor = torch.from_dlpack(batch)
    assert tensor.shape == (2, 8, 3)
    tensor[1, 2, 0] = 7.0
    assert batch.coords[1, 2, 0] == 7.0
    assert np.asarray(batch) is batch.coords


def through_jax(x):
    """The coordinates after their way through JAX, and whether it kept them where they were."""
    import jax

    x = np.asarray(x)
    room = np.empty(x.nbytes + 64, dtype=np.uint8)  # JAX keeps what begins at a multiple of 64 bytes
    coords = room[-room.ctypes.data % 64 :][: x.nbytes].view(x.dtype).reshape(x.shape)
    coords[...] = x
    batch = BatchedPeptide(coords, *ALA_GLY)
    array = jax.dlpack.from_dlpack(batch)
    return np.append(np.asarray(array), array.unsafe_buffer_pointer() == batch.coords.ctypes.data)


@pytest.mark.slow
def test_jax_shares_the_memory():
    coords = np.random.default_rng(0).standard_normal((2, 8, 3)).astype(np.float32)
    setup = "from tests.generation.test_peptide import through_jax"
    *values, same_place = run_jax("through_jax(x)", coords, setup=setup)
    np.testing.assert_array_equal(values, coords.ravel())
    assert same_place


def test_by_residue_is_a_view_of_a_backbone():
    batch = helix(3, 20)
    coords, mask = batch.by_residue()
    assert coords.shape == (3, 20, 5, 3)
    assert np.shares_memory(coords, batch.coords)
    assert [not row.all() for row in mask] == [name == "GLY" for name in batch.sequence]
    assert mask.sum() == 20 * 5 - 1


def test_by_residue_pads_residues_of_unlike_size():
    names = ["N", "CA", "C", "O", "CB", "N", "CA", "C", "O"]
    coords = np.random.default_rng(0).standard_normal((2, 9, 3)).astype(np.float32)
    batch = BatchedPeptide(coords, ["ALA", "GLY"], names, [1] * 5 + [2] * 4)
    padded, mask = batch.by_residue()
    assert padded.dtype == np.float32
    np.testing.assert_array_equal(mask, [[True] * 5, [True] * 4 + [False]])
    np.testing.assert_array_equal(padded[:, mask], coords)
    np.testing.assert_array_equal(padded[:, ~mask], 0)


def test_stack_of_biotite():
    names = ["ALA", "GLY", "D-PHE", "SEC"]
    chains = ["A", "A", "B", "B"]
    coords = backbone(drawn(0, 3, 4))
    stack = peptide_of(coords, names, chains).to_stack()
    assert stack.coord.dtype == np.float32
    kept = [atom for name in names for atom in ATOMS if (name, atom) != ("GLY", "CB")]
    assert stack.atom_name.tolist() == kept
    assert stack.element.tolist() == [atom[0] for atom in kept]
    np.testing.assert_array_equal(stack.coord, np.delete(coords.reshape(3, 20, 3), 9, axis=1).astype("f4"))
    ca = stack[:, stack.atom_name == "CA"]
    assert ca.res_name.tolist() == ["ALA", "GLY", "DPN", "SEC"]
    assert ca.hetero.tolist() == [False, False, True, True]
    assert (ca.chain_id.tolist(), ca.res_id.tolist()) == (chains, [1, 2, 1, 2])


def test_a_file_is_of_a_member_by_its_number():
    with pytest.raises(TypeError, match="'float' object cannot be interpreted as an integer"):
        small().to_pdb(1.5)
    with pytest.raises(IndexError, match="member 3 of a batch of 3; there are 0 to 2"):
        small().to_pdb(3)


def test_selenium():
    batch = BatchedPeptide(np.zeros((1, 5, 3)), ["SEC"], ["N", "CA", "C", "SE", "HB2"], [1] * 5)
    assert batch.to_stack().element.tolist() == ["N", "C", "C", "SE", "H"]


def test_backbones_are_those_of_the_file(tmp_path):
    names = ["ALA", "GLY", "D-PHE", "SEC", "TRP", "PRO"]
    batch = peptide_of(backbone(drawn(0, 2, 6)), names, "AAABBB", members=[8, 9])
    batch.save(tmp_path / "x.cif")
    of_file = read_structure(tmp_path / "x.cif", models="all")
    backbones = batch.to_backbones()
    assert [b.name for b in backbones] == ["member_8", "member_8", "member_9", "member_9"]
    for ours, read in zip(backbones, of_file, strict=True):
        assert (ours.sequence, ours.chain, ours.model) == (read.sequence, read.chain, read.model)
        np.testing.assert_array_equal(ours.coords, read.coords)
    assert [b.sequence for b in backbones[:2]] == ["AGF", "XWP"]
    assert batch[:0].to_backbones() == []


def test_orientations_by_biotite():
    names = ["ALA", "GLY", "D-ALA", "SER", "PHE"]
    coords = backbone(drawn(3, 2, 5, spread=60), is_d=[name.startswith("D-") for name in names])
    n, ca, _, _, cb = np.moveaxis(coords, 2, 0)
    maps = peptide_of(coords, names).get_6d_orientations()
    assert list(maps) == ["dist", "omega", "theta", "phi"]
    for i in range(5):
        for j in set(range(5)) - {i}:
            at = (slice(None), i, j)
            np.testing.assert_allclose(maps["dist"][at], distance(cb[:, i], cb[:, j]), atol=1e-9)
            omega = np.degrees(dihedral(ca[:, i], cb[:, i], cb[:, j], ca[:, j]))
            theta = np.degrees(dihedral(n[:, i], ca[:, i], cb[:, i], cb[:, j]))
            phi = np.degrees(angle(ca[:, i], cb[:, i], cb[:, j]))
            # biotite's arc cosine is less sure near 0 and 180.
            np.testing.assert_allclose(maps["omega"][at], omega, atol=1e-3)
            np.testing.assert_allclose(maps["theta"][at], theta, atol=1e-3)
            np.testing.assert_allclose(maps["phi"][at], phi, atol=1e-3)


def test_orientations_without_cb_put_it_on_the_right_side():
    names = ["ALA", "GLY", "D-ALA", "DAL", "PHE"]
    coords = backbone(drawn(3, 2, 5, spread=60), is_d=[False, False, True, True, False])
    four = BatchedPeptide(
        coords[:, :, :4].reshape(2, -1, 3), names, ATOMS[:4] * 5, np.repeat(np.arange(1, 6), 4)
    )
    with_cb, without = peptide_of(coords, names).get_6d_orientations(), four.get_6d_orientations()
    for name in with_cb:
        np.testing.assert_allclose(without[name], with_cb[name], rtol=0, atol=1e-6)
    cb = virtual_cb(coords[:, :, :3])
    assert np.linalg.norm(cb - coords[:, :, 4], axis=-1).max(axis=0) == pytest.approx(
        [0, 0, 2.5, 2.5, 0], abs=0.1
    )
    np.testing.assert_allclose(
        four.get_6d_orientations("radians")["phi"], np.radians(without["phi"]), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("call", ["get_6d_orientations", "to_backbones", "validate", "radius_of_gyration"])
def test_a_residue_without_ca(call):
    batch = BatchedPeptide(np.zeros((1, 5, 3)), ["ALA", "GLY"], ["N", "CA", "C", "N", "C"], [1] * 3 + [2] * 2)
    with pytest.raises(ValueError, match=r"residue 2 \(GLY\) has no atom CA; every residue needs N, CA, C"):
        getattr(batch, call)()


def test_ensemble_as_documented():
    batch = helix(6, 20)
    analysis = batch.analyze_ensemble(superimpose=True)
    assert isinstance(analysis["medoid_index"], int)
    assert f"{analysis['avg_rmsd']:.2f}" != "0.00"
    assert analysis["avg_coords"].shape == (batch.n_atoms, 3)
    BatchedPeptide(analysis["avg_coords"][None], batch.sequence, batch.atom_names, batch.residue_indices)
    ca = batch.to_stack()[:, batch.to_stack().atom_name == "CA"]
    ca.element[:] = "C"
    np.testing.assert_allclose(analysis["radius_of_gyration"], gyration_radius(ca), rtol=1e-5)
    np.testing.assert_allclose(analysis["end_to_end"], distance(ca.coord[:, 0], ca.coord[:, -1]), rtol=1e-6)
    assert analysis["avg_rmsd"] < batch.analyze_ensemble(superimpose=False)["avg_rmsd"]
