"""A molecule to be fitted onto a reference."""

from typing import Any

import numpy as np
from rdkit import Chem

from foldpix.alignment.methods import AlignmentMethods
from foldpix.alignment.modes import KEYS, Mode
from foldpix.alignment.molecule import Molecule
from foldpix.alignment.pair_alignment import AlignmentResult, Search, align_pairs

_RESULT_PREFIXES = {"transform_": "transform", "sim_aligned_": "score", "status_": "status"}


class MoleculePair(AlignmentMethods[np.ndarray, tuple[np.ndarray, np.ndarray]]):
    """A reference molecule and one to fit onto it.

    Each method ``align_with_*`` returns the fit's points on the reference (for a pharmacophore anchors and
    vectors) and keeps its result under the key of the mode: ``vol``, ``vol_noH``, ``vol_esp``,
    ``vol_esp_noH``, ``surf``, ``esp`` or ``pharm``.

    Parameters
    ----------
    ref, fit : Mol or Molecule
        Neither is changed.
    num_surf_points : int, optional
        Surface points of a molecule that has none asked for yet.
    density : float, optional
        Surface points per square angstrom, where their number is not given.
    do_center : bool
        Work on copies whose heavy atoms have their mean at the origin. Poses are as good without.

    Attributes
    ----------
    ref, fit : Molecule
    results : dict of str to AlignmentResult
        By key; also as ``transform_<key>``, (4, 4) from fit to ref, ``sim_aligned_<key>``, the score, and
        ``status_<key>``, "ok" or why not.
    """

    def __init__(
        self,
        ref: Chem.Mol | Molecule,
        fit: Chem.Mol | Molecule,
        num_surf_points: int | None = None,
        density: float | None = None,
        do_center: bool = False,
    ) -> None:
        self.ref, self.fit = (_molecule(mol, num_surf_points, density, do_center) for mol in (ref, fit))
        self.results = dict.fromkeys(KEYS, AlignmentResult())

    def __getattr__(self, name: str) -> Any:
        for prefix, field in _RESULT_PREFIXES.items():
            key = name.removeprefix(prefix)
            if key != name and key in KEYS:
                return getattr(self.results[key], field)
        raise AttributeError(f"a MoleculePair has no attribute '{name}'")

    def _align(self, mode: Mode, search: Search) -> np.ndarray:
        (self.results[mode.key],) = align_pairs([self], mode, search)
        return self.results[mode.key].aligned

    def _align_features(self, mode: Mode, search: Search) -> tuple[np.ndarray, np.ndarray]:
        return self._align(mode, search), self.results[mode.key].aligned_vectors


def _molecule(
    mol: Chem.Mol | Molecule, num_surf_points: int | None, density: float | None, do_center: bool
) -> Molecule:
    if not isinstance(mol, Molecule):
        mol = Molecule(mol, num_surf_points, density)
    elif num_surf_points is not None or density is not None:
        mol = mol.with_surface(num_surf_points, density)
    has_heavy = len(mol.atom_pos) > 0
    return mol.center_to(mol.get_positions(no_H=has_heavy).mean(axis=0)) if do_center else mol
