"""BatchedGenerator: the documented API, geometry as biotite measures it, and what went wrong elsewhere.

"Fault" in a test's docstring: a fault that synth-pdb 1.39.0 shows and this must not.
"""

import math

import biotite.structure as struc
import numpy as np
import pytest
import torch

from foldpix.generation import BatchedGenerator, BatchedPeptide
from foldpix.generation.segments import sample_segments
from foldpix.geometry import virtual_cb


def generated(sequence, n_batch=4, seed=1, full_atom=False, **options):
    return BatchedGenerator(sequence, n_batch, full_atom).generate_batch(seed, **options)


def atoms_of(batch, *names):
    """Coordinates (B, L, 3) of each of these atoms."""
    rows = [[k for k, name in enumerate(batch.atom_names) if name == wanted] for wanted in names]
    return [batch.coords[:, each].astype(np.float64) for each in rows]


def apart(found, wanted):
    """Difference of angles in degrees, wherever the circle is cut."""
    return np.degrees(np.abs(np.angle(np.exp(1j * (found - wanted)))))


def atoms_at(batch, name, residues):
    """Coordinates (B, n, 3) of an atom of each of these residues, counted from 1."""
    names, numbers = np.array(batch.atom_names), np.array(batch.residue_indices)
    return batch.coords[:, [np.flatnonzero((names == name) & (numbers == i))[0] for i in residues]]


def heavy_contacts(coords_LA3, limit):
    """Pairs of atoms of residues three or more apart that are nearer than the limit."""
    points = coords_LA3.reshape(-1, 3).astype(np.float64)
    residue = np.repeat(np.arange(len(coords_LA3)), coords_LA3.shape[1])
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    return int(((distance < limit) & (residue[None] - residue[:, None] >= 3)).sum())


class TestDocumentedApi:
    def test_the_documented_examples(self):
        gen = BatchedGenerator("ALA-GLY-SER-LEU-VAL", n_batch=100)
        batch = gen.generate_batch(conformation="alpha")
        assert batch.coords.shape == (100, 25, 3) and batch.coords.flags.c_contiguous
        analysis = batch.analyze_ensemble(superimpose=True)
        assert 0 <= analysis["medoid_index"] < 100
        assert f"{analysis['avg_rmsd']:.2f}" == "0.00"
        assert batch.get_6d_orientations()["dist"].shape == (100, 5, 5)

    def test_fields_of_the_generator(self):
        gen = BatchedGenerator("ACG:D-ALA", n_batch=2)
        assert gen.chain_sequences == [["ALA", "CYS", "GLY"], ["D-ALA"]]
        assert gen.sequence == ["ALA", "CYS", "GLY", "D-ALA"]
        assert (gen.n_res, gen.total_atoms, gen.n_batch, gen.full_atom) == (4, 20, 2, False)
        assert gen.offsets == [0, 5, 10, 15] and gen.chain_start_indices == [0, 3]
        assert gen.residue_indices == [1] * 5 + [2] * 5 + [3] * 5 + [1] * 5
        assert gen.atom_chain_ids == ["A"] * 15 + ["B"] * 5
        assert gen.atom_names == ["N", "CA", "C", "O", "CB"] * 4

    def test_fields_of_a_batch(self):
        batch = generated("AG:A", 3)
        assert isinstance(batch, BatchedPeptide)
        assert (batch.n_structures, batch.n_atoms, batch.n_residues) == (3, 15, 3)
        assert batch.atom_names == ["N", "CA", "C", "O", "CB"] * 3
        assert batch.residue_indices == [1] * 5 + [2] * 5 + [1] * 5
        assert batch.atom_chain_ids == ["A"] * 10 + ["B"] * 5
        assert batch.atom_mask.tolist() == [True] * 9 + [False] + [True] * 5  # glycine's CB is no atom
        assert batch.labels == ("HHH",) * 3 and batch.seed == 1

    def test_coordinates_by_residue_are_a_view(self):
        batch = generated("AGC")
        coords, mask = batch.by_residue()
        assert coords.shape == (4, 3, 5, 3) and np.shares_memory(coords, batch.coords)
        assert mask.tolist() == [[True] * 5, [True] * 4 + [False], [True] * 5]

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_dtype_and_out(self, dtype):
        gen = BatchedGenerator("ACDEF", 3)
        out = np.empty((3, 25, 3), dtype=dtype)
        batch = gen.generate_batch(seed=1, drift=5.0, out=out)
        assert batch.coords is out
        assert np.array_equal(gen.generate_batch(seed=1, drift=5.0, dtype=dtype).coords, out)
        assert gen.generate_batch(seed=1).coords.dtype == np.float32

    def test_torch_sees_the_same_memory(self):
        batch = generated("ACDEF")
        tensor = torch.from_dlpack(batch)
        tensor[0, 0, 0] = 42.0
        assert batch.coords[0, 0, 0] == 42.0

    def test_a_seed_is_made_up_and_told(self):
        gen = BatchedGenerator("ACDEF", 2)
        one, other = (gen.generate_batch(drift=5.0) for _ in range(2))
        assert not np.array_equal(one.coords, other.coords)
        assert np.array_equal(gen.generate_batch(one.seed, drift=5.0).coords, one.coords)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"seed": -1}, "seed=-1"),
            ({"conformation": "ALPHA"}, "'ALPHA'.*alpha"),
            ({"conformation": None}, "None"),
            ({"conformation": 5}, "5"),
            ({"conformation": "GLY"}, "GLY"),
            ({"conformation": "HH"}, "2 letters; 5 residues"),
            ({"conformation": ["alpha"]}, "1 conformations for 4 members"),
            ({"conformation": np.zeros((5, 2))}, r"\(5, 2\)"),
            ({"conformation": np.full((5, 3), np.nan)}, "not finite|NaN|nan"),
            ({"drift": -1.0}, "drift=-1"),
            ({"drift": math.nan}, "drift=nan"),
            ({"cis_proline": 1.5}, "cis_proline=1.5"),
            ({"start": -3}, "start=-3"),
            ({"compact": True}, "compact=True cannot fold torsions that are given"),
            ({"compact": True, "conformation": ["alpha", "random"] * 2}, "compact=True cannot fold"),
            ({"compact": True, "conformation": "random", "avoid_clashes": False}, "exclude each other"),
            ({"avoid_clashes": True}, "given exactly; add drift="),
            ({"seed": True}, "seed=True"),
            ({"seed": 1.5}, "seed=1.5"),
            ({"start": 1.5}, "start=1.5"),
            ({"start": None}, "start=None"),
            ({"start": 2**63 - 1}, "start=9223372036854775807"),
            ({"drift": "a"}, "drift='a'"),
            ({"drift": np.ones(3)}, "drift="),
            ({"cis_proline": "a"}, "cis_proline='a'"),
            ({"dtype": "foo"}, "dtype 'foo'"),
            ({"out": [1]}, r"out has shape \(1,\)"),
            ({"conformation": ["alpha", np.zeros((5, 3))] * 2}, "unknown conformation"),
            ({"conformation": ["alpha", ["beta"]] * 2}, "unknown conformation"),
            ({"dtype": np.int32}, "int32"),
            ({"out": np.empty((4, 24, 3))}, r"\(4, 24, 3\)"),
            ({"out": np.empty((4, 25, 3)), "dtype": np.float32}, "float64"),
        ],
    )
    def test_bad_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            BatchedGenerator("ACDEF", 4).generate_batch(**options)

    @pytest.mark.parametrize("n_batch", [-1, 0, 1.5, "3", None, True])
    def test_bad_sizes(self, n_batch):
        with pytest.raises(ValueError, match="n_batch"):
            BatchedGenerator("ACDEF", n_batch)


class TestTorsions:
    @pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 0.01), (np.float32, 0.1)])
    def test_given_torsions_are_measured_again(self, dtype, tolerance, rng):
        asked = rng.uniform(-np.pi, np.pi, (6, 40, 3))
        batch = generated("A" * 40, 6, conformation=asked, dtype=dtype)
        n, ca, c = atoms_of(batch, "N", "CA", "C")
        assert (
            apart(struc.dihedral(c[:, :-1], n[:, 1:], ca[:, 1:], c[:, 1:]), asked[:, 1:, 0]).max() < tolerance
        )
        assert (
            apart(struc.dihedral(n[:, :-1], ca[:, :-1], c[:, :-1], n[:, 1:]), asked[:, :-1, 1]).max()
            < tolerance
        )
        assert (
            apart(struc.dihedral(ca[:, :-1], c[:, :-1], n[:, 1:], ca[:, 1:]), asked[:, :-1, 2]).max()
            < tolerance
        )
        assert batch.torsions == pytest.approx(asked.astype(dtype))

    @pytest.mark.parametrize(
        ("name", "phi", "psi"),
        [
            ("alpha", -57, -47),
            ("beta", -135, 135),
            ("ppii", -75, 145),
            ("extended", -120, 120),
            ("curved", -80, -20),
        ],
    )
    def test_documented_conformations(self, name, phi, psi):
        batch = generated("A" * 6, 2, conformation=name, dtype=np.float64)
        expected = np.broadcast_to([phi, psi, 180.0], (2, 6, 3))
        assert np.degrees(batch.torsions) == pytest.approx(expected)
        assert np.array_equal(batch.coords[0], batch.coords[1])

    def test_drift_has_the_deviation_asked_for(self):
        batch = generated("A" * 50, 400, drift=7.0)
        phi, psi, omega = np.moveaxis(np.degrees(batch.torsions), -1, 0)
        assert [phi.std(), psi.std(), omega.std()] == pytest.approx([7, 7, 2], rel=0.03)
        assert [phi.mean(), psi.mean(), omega.mean()] == pytest.approx([-57, -47, 180], abs=0.2)

    def test_members_may_have_conformations_of_their_own(self):
        batch = generated("A" * 8, 3, conformation=["alpha", "beta", "HHHHEEEE"], avoid_clashes=False)
        assert batch.labels == ("HHHHHHHH", "EEEEEEEE", "HHHHEEEE")
        assert np.degrees(batch.torsions[:2, 0, :2]) == pytest.approx(np.array([[-57, -47], [-135, 135]]))
        assert (batch.torsions[2, :4, 1] < 0).all() and (batch.torsions[2, 4:, 1] > 0).all()

    def test_letters_and_random_are_ensembles(self):
        """Fault: "random" gives one helix again and again."""
        for conformation in ("random", "domain", "HHHHTTEEEE"):
            batch = generated("ACDEFGHIKL", 20, conformation=conformation)
            assert len(np.unique(batch.coords.reshape(20, -1), axis=0)) == 20
            assert all(len(label) == 10 for label in batch.labels)

    def test_proline_keeps_its_phi(self):
        """Fault: proline at phi -135 in a strand."""
        batch = generated("APAPA", 2, conformation="beta", dtype=np.float64)
        phi = np.degrees(batch.torsions[..., 0])
        assert phi[:, [1, 3]] == pytest.approx(-65) and phi[:, [0, 2, 4]] == pytest.approx(-135)

    def test_helices_make_way_for_the_ring_of_proline(self):
        """Its CD would stand on the O four residues before, to which a helix bonds N-H."""
        sequence, num = "ACDEFGHIKLMNPQRSTVWY" * 4, 40
        prolines = np.arange(13, 81, 20)
        drawn = sample_segments([len(sequence)] * num, 1, np.arange(num))
        too_near = []
        for conformation in ("domain", drawn):
            batch = generated(sequence, num, full_atom=True, conformation=conformation, avoid_clashes=False)
            cd, o = (atoms_at(batch, *pair) for pair in (("CD", prolines), ("O", prolines - 4)))
            too_near.append(int((np.linalg.norm(cd - o, axis=-1) < 2.2).sum()))
        assert 3 * too_near[0] < too_near[1] > 15

    def test_peptides_are_trans_unless_asked(self):
        for conformation in ("random", "domain"):
            batch = generated("APPGP" * 6, 50, conformation=conformation)
            assert apart(batch.torsions[..., 2], np.pi).max() < 40
        cis = generated("AAPAA", 400, conformation="random", cis_proline=0.5)
        is_cis = apart(cis.torsions[..., 2], 0.0) < 40
        assert is_cis[:, 1].mean() == pytest.approx(0.5, abs=0.08)
        assert not is_cis[:, [0, 2, 3]].any()


class TestReproducibility:
    OPTIONS = (
        {"drift": 5.0},
        {"conformation": "random"},
        {"conformation": "domain", "compact": True},
    )

    @pytest.mark.parametrize("options", OPTIONS, ids=["drift", "random", "compact"])
    @pytest.mark.parametrize("full_atom", [False, True])
    def test_member_k_depends_on_seed_and_k_alone(self, options, full_atom):
        """Fault: member 0 of a batch of one is not member 0 of a batch of four."""
        sequence = "ACDEFGHIKLMNPQRSTVWY"
        whole = generated(sequence, 9, 3, full_atom, **options)
        part = generated(sequence, 2, 3, full_atom, start=6, **options)
        assert np.array_equal(part.coords, whole.coords[6:8])
        assert part.members.tolist() == [6, 7] and part.labels == whole.labels[6:8]
        assert not np.array_equal(generated(sequence, 9, 4, full_atom, **options).coords, whole.coords)

    def test_members_with_conformations_of_their_own_depend_on_no_other(self):
        conformations = ["beta", "random", "HHHHEEEECC", "domain"] * 2
        whole = generated("ACDEFGHIKL", 8, 3, conformation=conformations, drift=9.0)
        part = generated("ACDEFGHIKL", 3, 3, conformation=conformations[3:6], drift=9.0, start=3)
        assert np.array_equal(part.coords, whole.coords[3:6])
        alone = generated("ACDEFGHIKL", 1, 3, conformation="beta", drift=9.0)
        assert np.array_equal(alone.coords[0], whole.coords[0])

    def test_the_global_generators_are_left_alone(self):
        """Fault: the seed is that of all of NumPy."""
        np.random.seed(11)  # noqa: NPY002
        state = np.random.get_state()[1].copy()  # noqa: NPY002
        generated("ACDEF", 3, conformation="domain", drift=2.0)
        assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


class TestGeometry:
    @pytest.mark.parametrize("conformation", ["alpha", "beta", "ppii", "extended", "curved", "random"])
    def test_oxygen_does_not_lie_on_the_next_nitrogen(self, conformation):
        """Fault: O at N-CA-C-O = 180 degrees whatever psi is, 0.7 A from N in a polyproline helix."""
        batch = generated("A" * 32, 2, conformation=conformation, dtype=np.float64)
        n, ca, c, o = atoms_of(batch, "N", "CA", "C", "O")
        assert np.linalg.norm(o[:, :-1] - n[:, 1:], axis=-1) == pytest.approx(2.25, abs=0.02)
        assert np.degrees(struc.angle(o[:, :-1], c[:, :-1], n[:, 1:])) == pytest.approx(122.9, abs=0.2)
        turn = struc.dihedral(n, ca, c, o)
        assert apart(turn, batch.torsions[..., 1] + np.pi).max() < 0.01

    def test_helices_are_bonded(self):
        """Fault: O to N four residues on is 3.5 A in the ideal helix; a hydrogen bond has 2.7 to 3.2."""
        n, o = atoms_of(generated("A" * 20, 1), "N", "O")
        bond = np.linalg.norm(o[0, :-4] - n[0, 4:], axis=-1)
        assert (bond > 2.7).all() and (bond < 3.2).all()

    def test_cb_has_the_left_hand_and_serves_the_maps(self):
        """Faults: the maps take O for CB, and the virtual CB is that of D-residues."""
        batch = generated("AGAGACDE", 3, drift=5.0, dtype=np.float64)
        coords, _ = batch.by_residue()
        assert coords[:, :, 4] == pytest.approx(virtual_cb(coords[:, :, :3]), abs=1e-9)
        distance = batch.get_6d_orientations()["dist"]
        expected = np.linalg.norm(coords[:, :, None, 4] - coords[:, None, :, 4], axis=-1)
        assert distance == pytest.approx(expected, abs=1e-4)
        stack = generated("AGAGACDE", 1, full_atom=True).to_stack()
        n, ca, c, cb = (
            stack.coord[0, (stack.atom_name == name) & (stack.res_name != "GLY")]
            for name in ("N", "CA", "C", "CB")
        )
        assert np.degrees(struc.dihedral(n, c, ca, cb)) == pytest.approx(122.7, abs=1.0)

    def test_theta_is_the_dihedral_and_phi_the_angle(self):
        """Fault: theta and phi change places."""
        batch = generated("ACDEFGHI", 2, drift=10.0, dtype=np.float64)
        n, ca, cb = atoms_of(batch, "N", "CA", "CB")
        maps = batch.get_6d_orientations(units="radians")
        assert (
            apart(maps["theta"][:, 0, 5], struc.dihedral(n[:, 0], ca[:, 0], cb[:, 0], cb[:, 5])).max() < 0.01
        )
        assert apart(maps["phi"][:, 0, 5], struc.angle(ca[:, 0], cb[:, 0], cb[:, 5])).max() < 0.01

    def test_d_residues_are_mirror_images(self):
        """Faults: CB on HA; DAL with the torsions of an L-residue."""
        torsions = np.random.default_rng(0).uniform(-3, 3, (1, 9, 3))
        left = generated("A-C-F-I-K-P-S-W-Y", 1, conformation=torsions, full_atom=True, dtype=np.float64)
        names = "D-ALA-D-CYS-D-PHE-D-ILE-D-LYS-D-PRO-D-SER-D-TRP-D-TYR"
        right = generated(names, 1, conformation=-torsions, full_atom=True, dtype=np.float64)
        assert right.atom_names == left.atom_names
        assert np.array_equal(right.to_stack().atom_name, left.to_stack().atom_name)
        for batch in (left, right):
            ha, cb = atoms_of(batch, "HA", "CB")
            assert np.linalg.norm(ha - cb, axis=-1) == pytest.approx(2.15, abs=0.1)
        alpha = generated("DAL-ALA", 1, dtype=np.float64).torsions[0]
        assert np.degrees(alpha[:, :2]) == pytest.approx(np.array([[57, 47], [-57, -47]]))

    def test_amide_hydrogens_lie_in_the_peptide_plane(self):
        """Fault: H 0.4 to 1.8 A from the C before it; proline with an H."""
        batch = generated("ANDHPWK", 3, full_atom=True, drift=10.0, dtype=np.float64)
        stack = batch.to_stack()
        assert "H" not in stack.atom_name[stack.res_name == "PRO"]
        for number in (2, 3, 4, 6, 7):

            def place(name, residue):
                return batch.coords[:, (stack.atom_name == name) & (stack.res_id == residue)][:, 0]

            h, n, c, ca = place("H", number), place("N", number), place("C", number - 1), place("CA", number)
            assert np.linalg.norm(h - c, axis=-1) == pytest.approx(2.0, abs=0.1)
            assert np.degrees(struc.angle(c, n, h)) == pytest.approx(119, abs=2)
            assert (
                apart(struc.dihedral(ca, c, n, h), np.pi).max() < 1
                or apart(struc.dihedral(ca, c, n, h), 0).max() < 1
            )

    def test_the_last_residue_has_its_oxt(self):
        names = generated("AG:CA", 1, full_atom=True).to_stack()
        assert list(
            zip(names.chain_id[names.atom_name == "OXT"], names.res_id[names.atom_name == "OXT"], strict=True)
        ) == [("A", 2), ("B", 2)]

    @pytest.mark.parametrize("full_atom", [False, True])
    def test_chains_keep_apart(self, full_atom):
        """Fault: three helices of 60 residues pass through each other."""
        batch = generated(":".join(["K" * 30] * 3), 10, drift=20.0, full_atom=full_atom)
        chains = np.array(batch.atom_chain_ids)
        for one, other in (("A", "B"), ("B", "C"), ("A", "C")):
            pairs = batch.coords[:, chains == one][:, :, None] - batch.coords[:, chains == other][:, None]
            assert np.linalg.norm(pairs, axis=-1).min() > (4.0 if full_atom else 19.9)

    def test_drawn_chains_have_no_clash(self):
        """Fault: drifting chains pass through themselves."""
        for options in ({"conformation": "random"}, {"conformation": "domain", "compact": True}):
            batch = generated("ACDEFGHIKLMNPQRSTVWY" * 3, 20, **options)
            coords, _ = batch.by_residue()
            free = batch.num_clashes == 0
            assert free.mean() >= 0.95
            for member in np.flatnonzero(free):
                assert heavy_contacts(coords[member, :, :4], 2.5) == 0
        drifting = generated("A" * 64, 30, drift=15.0, avoid_clashes=True)
        assert (drifting.num_clashes == 0).all()

    def test_compact_chains_are_as_compact_as_domains(self):
        """Real ones of 90 to 128 residues have 1.03 times 2.2 L^0.38 on average, these 1.05 (40 seeds)."""
        sequence = "ACDEFGHIKLMNPQRSTVWY" * 5
        loose = generated(sequence, 20, conformation="domain").radius_of_gyration()
        folded = generated(sequence, 20, conformation="domain", compact=True).radius_of_gyration()
        assert folded.mean() == pytest.approx(1.03 * 2.2 * 100**0.38, rel=0.07)
        assert loose.mean() > 1.3 * folded.mean()

    def test_long_chains_stay_where_they_are(self):
        """Fault: members beyond 500 A are centred, others not."""
        batch = generated("A" * 400, 2, conformation="extended", drift=1.0)
        assert (batch.coords[:, 0] == 0.0).all()
        assert np.abs(batch.coords).max() > 500
