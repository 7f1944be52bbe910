"""Backbone torsions of a made-up chain, drawn from the populated basins of the Ramachandran plot."""

import numpy as np

#: Basins of each kind: share, phi, psi, standard deviation; degrees.
BASINS = {
    "H": ((1.0, -63.0, -43.0, 5.0),),
    "E": ((1.0, -120.0, 135.0, 12.0),),
    "C": (
        (0.40, -70.0, 145.0, 15.0),  # polyproline II
        (0.35, -70.0, -35.0, 15.0),  # right-handed helix
        (0.17, -110.0, 130.0, 18.0),  # extended
        (0.08, 57.0, 40.0, 10.0),  # left-handed helix
    ),
}

#: Trans peptide bond: mean and standard deviation, degrees.
OMEGA = (179.0, 4.0)


def sample_torsions(labels: str, rng: np.random.Generator) -> np.ndarray:
    """phi, psi, omega of each residue.

    Parameters
    ----------
    labels : str
        H, E or C for each of L residues.

    Returns
    -------
    ndarray, dtype=float64, shape=(L, 3)
        Radian.
    """
    kinds = np.array(list(labels))
    basins = np.empty((len(labels), 3))
    for kind, choices in BASINS.items():
        where = np.flatnonzero(kinds == kind)
        table = np.array(choices)
        basins[where] = table[rng.choice(len(table), size=len(where), p=table[:, 0]), 1:]
    noise = rng.standard_normal((len(labels), 3))
    phi_psi = basins[:, :2] + noise[:, :2] * basins[:, 2:]
    omega = OMEGA[0] + OMEGA[1] * noise[:, 2:]
    return np.radians(np.concatenate([phi_psi, omega], axis=1))
