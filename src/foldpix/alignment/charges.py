"""Partial charges."""

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdForceFieldHelpers


def mmff_charges(mol: Chem.Mol) -> np.ndarray:
    """MMFF94 partial charges of all atoms of a molecule with explicit hydrogens.

    Returns
    -------
    ndarray, dtype=float64, shape=(A,)
        In e.

    Raises
    ------
    ValueError
        If MMFF94 has no parameters for an atom, as for boron. No other model stands in: charges of two
        models do not compare.
    """
    with rdBase.BlockLogs():
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(Chem.Mol(mol))
    if properties is None:
        smiles = Chem.MolToSmiles(Chem.RemoveHs(mol))
        raise ValueError(f"MMFF94 has no charges for {smiles}; give partial_charges, or align by shape alone")
    return np.array([properties.GetMMFFPartialCharge(atom) for atom in range(mol.GetNumAtoms())])
