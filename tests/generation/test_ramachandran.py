import numpy as np
import pytest

from foldpix.generation.ramachandran import is_allowed, residue_classes
from foldpix.geometry import backbone_torsions
from foldpix.structure import read_structure

CLASSES = np.array(["general", "glycine", "proline", "before proline"])

# phi, psi, and classes that are populated there (Lovell et al. 2003), and that are not.
PLACES = [
    ((-63, -43), "right-handed helix", {"general", "glycine", "proline", "before proline"}, set()),
    ((-120, 135), "strand", {"general", "glycine", "before proline"}, {"proline"}),
    ((-70, 145), "polyproline", {"general", "glycine", "proline", "before proline"}, set()),
    ((57, 40), "left-handed helix", {"general", "glycine"}, {"proline"}),
    ((100, -160), "glycine alone", {"glycine"}, {"general", "proline"}),
    ((120, 120), "mirrored", set(), {"general", "proline", "before proline"}),
    ((0, 0), "C on O", set(), {"general", "glycine", "proline", "before proline"}),
]


@pytest.mark.parametrize(("place", "name", "populated", "empty"), PLACES, ids=[place[1] for place in PLACES])
def test_well_known_places(place, name, populated, empty):
    allowed = set(CLASSES[is_allowed(np.array([place] * 4, dtype=float), CLASSES)].tolist())
    assert populated <= allowed, name
    assert not empty & allowed, name


def test_the_plot_has_no_edges():
    torsions = np.random.default_rng(0).uniform(-180, 180, (5, 20, 2))
    classes = np.resize(CLASSES, 20)
    allowed = is_allowed(torsions, classes)
    for turn in ((360, 0), (0, -360), (-720, 360)):
        np.testing.assert_array_equal(is_allowed(torsions + turn, classes), allowed)


def test_classes():
    is_glycine, is_proline = np.array(list("AGPGAPPA")) == "G", np.array(list("AGPGAPPA")) == "P"
    assert residue_classes(is_glycine, is_proline).tolist() == [
        *("general", "glycine", "proline", "glycine"),
        *("before proline", "proline", "proline", "general"),
    ]


def test_real_chains(real_structures):
    outside = []
    for path in sorted((real_structures / "chains").iterdir())[5::200]:
        for chain in read_structure(path):
            letters = np.array(list(chain.sequence))
            torsions = np.degrees(backbone_torsions(chain.coords.astype(np.float64)))[1:-1, :2]
            unbroken = np.isfinite(torsions).all(axis=1)
            classes = residue_classes(letters == "G", letters == "P")[1:-1]
            outside.append(~is_allowed(torsions[unbroken], classes[unbroken]))
    share = np.concatenate(outside).mean()
    assert 0.002 < share < 0.03
