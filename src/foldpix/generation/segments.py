"""Secondary structure of a made-up chain: helices, strands and the coils between them."""

import numpy as np

#: Residues of a segment, least and most: typical of globular proteins.
SEGMENT_LENGTHS = {"H": (8, 18), "E": (4, 8), "C": (2, 6)}

#: Letters each kind of segment favours.
RESIDUES = {"H": "AELKMQR", "E": "VIYFTWC", "C": "GPNDSHK"}


def sample_labels(length: int, rng: np.random.Generator) -> str:
    """A string of H (helix), E (strand) and C (coil), one letter a residue; coils part the others."""
    labels = ""
    while len(labels) < length:
        for kind in ("C", "H" if rng.random() < 0.6 else "E"):
            low, high = SEGMENT_LENGTHS[kind]
            labels += kind * int(rng.integers(low, high + 1))
    return labels[:length]


def sample_sequence(labels: str, rng: np.random.Generator) -> str:
    """One-letter sequence that suits the labels."""
    return "".join(RESIDUES[kind][rng.integers(len(RESIDUES[kind]))] for kind in labels)
