"""6D maps of batches."""

import biotite.structure as struc
import numpy as np
import pytest

from foldpix.generation.orientations import MAPS, orientation_maps_6d
from foldpix.geometry import build_backbone, orientation_maps, virtual_cb
from tests.conftest import random_rotation


def turn(a, b) -> np.ndarray:
    """Degrees from one angle to the other."""
    return np.abs((a - b + 180.0) % 360.0 - 180.0)


@pytest.fixture(params=range(3))
def coords(request) -> np.ndarray:
    """N, CA, C (B, L, 3, 3) of chains of any shape."""
    rng = np.random.default_rng(request.param)
    length = int(rng.integers(2, 70))
    return build_backbone(rng.uniform(-np.pi, np.pi, size=(4, length, 3)))


def maps_of(coords: np.ndarray, **options) -> dict[str, np.ndarray]:
    return orientation_maps_6d(coords[:, :, 0], coords[:, :, 1], virtual_cb(coords), **options)


def mirrored_cb(coords: np.ndarray, is_d: np.ndarray) -> np.ndarray:
    """CB on the other side of the plane N, CA, C where ``is_d``."""
    n, ca, c = np.moveaxis(coords, 2, 0)
    normal = np.cross(n - ca, c - ca)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    cb = virtual_cb(coords)
    height = np.sum((cb - ca) * normal, axis=-1, keepdims=True)
    return np.where(is_d[:, None], cb - 2 * height * normal, cb)


def test_agrees_with_the_maps_of_single_chains(coords):
    maps = maps_of(coords, units="radians")
    assert list(maps) == list(MAPS)
    for map_, expected in zip(maps.values(), orientation_maps(coords), strict=True):
        assert map_ == pytest.approx(expected, abs=1e-9)


def test_float32_is_nearly_as_good(coords):
    maps, exact = maps_of(coords.astype(np.float32)), maps_of(coords)
    assert all(map_.dtype == np.float32 for map_ in maps.values())
    assert maps["dist"] == pytest.approx(exact["dist"], abs=1e-4)
    for name in MAPS[1:]:
        assert np.quantile(turn(maps[name], exact[name]), 0.99) < 1e-3
        assert turn(maps[name], exact[name]).max() < 0.1


def test_every_angle_is_that_of_its_four_points_in_degrees(coords):
    """Of L- and D-residues alike, with theta the dihedral angle and phi the planar one."""
    is_d = np.arange(coords.shape[1]) % 3 == 1
    n, ca, cb = coords[:, :, 0], coords[:, :, 1], mirrored_cb(coords, is_d)
    maps = orientation_maps_6d(n, ca, cb)
    for i, j in np.argwhere(~np.eye(coords.shape[1], dtype=bool))[::7]:
        at_i, at_j = (n[:, i], ca[:, i], cb[:, i]), (cb[:, j], ca[:, j])
        assert maps["dist"][:, i, j] == pytest.approx(struc.distance(at_i[2], at_j[0]))
        omega = np.degrees(struc.dihedral(*at_i[1:], *at_j))
        theta = np.degrees(struc.dihedral(*at_i, at_j[0]))
        phi = np.degrees(struc.angle(*at_i[1:], at_j[0]))
        for name, angle in zip(MAPS[1:], (omega, theta, phi), strict=True):
            assert turn(maps[name][:, i, j], angle).max() < 0.02  # as biotite takes float32


def test_a_mirrored_molecule_has_mirrored_dihedrals(coords):
    mirror = np.array([1, 1, -1])
    n, ca, cb = coords[:, :, 0], coords[:, :, 1], virtual_cb(coords)
    maps, mirrored = orientation_maps_6d(n, ca, cb), orientation_maps_6d(n * mirror, ca * mirror, cb * mirror)
    for name, sign in (("dist", 1), ("omega", -1), ("theta", -1), ("phi", 1)):
        assert turn(mirrored[name], sign * maps[name]).max() < 1e-6


def test_symmetry_diagonal_and_range(coords):
    maps = maps_of(coords)
    for name in ("dist", "omega"):
        assert turn(maps[name], np.swapaxes(maps[name], 1, 2)).max() < 1e-9
    for map_ in maps.values():
        assert np.all(np.diagonal(map_, axis1=1, axis2=2) == 0)
        assert np.isfinite(map_).all()
    off = ~np.eye(coords.shape[1], dtype=bool)
    assert np.all((maps["phi"][:, off] > 0) & (maps["phi"][:, off] < 180))
    if coords.shape[1] > 10:
        assert turn(maps["theta"], np.swapaxes(maps["theta"], 1, 2)).max() > 10
        assert maps["theta"].min() < 0 < maps["theta"].max()


def test_rigid_motions_change_nothing(coords, rng):
    moved = coords @ random_rotation(rng).T + rng.normal(size=3) * 50
    maps, same = maps_of(coords), maps_of(moved)
    assert all(turn(maps[name], same[name]).max() < 1e-6 for name in MAPS)


def test_members_do_not_see_each_other(coords):
    maps = maps_of(coords)
    for k in range(len(coords)):
        alone = maps_of(coords[k : k + 1])
        assert all(np.array_equal(maps[name][k], alone[name][0]) for name in MAPS)


def test_one_residue_and_no_member():
    atoms = np.array([[[1.4, 0, 0]], [[0.0, 0, 0]], [[-0.5, 1.4, 0.2]]])
    single = orientation_maps_6d(*atoms[:, None])
    assert all(np.array_equal(map_, np.zeros((1, 1, 1))) for map_ in single.values())
    assert maps_of(np.zeros((0, 5, 3, 3)))["omega"].shape == (0, 5, 5)


def test_residues_in_the_same_place_stay_finite():
    residue = np.array([[1.4, 0, 0], [0.0, 0, 0], [-0.5, 1.4, 0.2]])
    maps = orientation_maps_6d(*np.repeat(residue[:, None, None], 2, axis=2))
    assert all(np.array_equal(map_, np.zeros((1, 2, 2))) for map_ in maps.values())


def test_arrays_given_are_filled(coords):
    expected = maps_of(coords)
    out = {name: np.full_like(map_, np.nan) for name, map_ in expected.items()}
    maps = maps_of(coords, out=out)
    assert all(maps[name] is out[name] for name in MAPS)
    assert all(np.array_equal(maps[name], expected[name]) for name in MAPS)


def test_what_does_not_fit_is_refused(coords):
    with pytest.raises(ValueError, match="no units 'turns'; there are degrees, radians"):
        maps_of(coords, units="turns")
    good = maps_of(coords)
    with pytest.raises(ValueError, match="out has no phi; it must hold dist, omega, theta, phi"):
        maps_of(coords, out={name: good[name] for name in MAPS[:3]})
    for bad in (good["theta"].astype(np.float32), good["theta"][:-1], np.swapaxes(good["theta"], 0, 2)):
        with pytest.raises(ValueError, match=r"out\['theta'\] is float.*must be C-contiguous float64"):
            maps_of(coords, out=good | {"theta": bad})
