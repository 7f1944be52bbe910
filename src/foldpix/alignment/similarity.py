"""From an overlap to a similarity between 0 and 1. Each grows with the overlap of a pair."""

import numpy as np

# Share of the reference's own overlap in the denominator.
_TVERSKY = {"tversky": 0.95, "tversky_ref": 1.0, "tversky_fit": 0.05}
#: Names of similarities.
SIMILARITIES = ("tanimoto", *_TVERSKY)


def check_similarity(name: str) -> None:
    """Raise a ValueError that lists what there is, where this is none."""
    if name not in SIMILARITIES:
        raise ValueError(f"no similarity {name!r}; there are {', '.join(SIMILARITIES)}")


def similarity(
    name: str, overlap: np.ndarray, ref_overlap: np.ndarray, fit_overlap: np.ndarray
) -> np.ndarray:
    """Similarity of pairs.

    Parameters
    ----------
    name : {"tanimoto", "tversky", "tversky_ref", "tversky_fit"}
        Tanimoto is O / (O_ref + O_fit - O); Tversky min(1, O / (s O_ref + (1 - s) O_fit)) with s of 0.95, 1
        and 0.05.
    overlap, ref_overlap, fit_overlap : ndarray, shape=(P,)
        Of the pair in its pose, of the reference with itself, of the fit with itself.

    Returns
    -------
    ndarray, shape=(P,)
    """
    check_similarity(name)
    if name == "tanimoto":
        return overlap / (ref_overlap + fit_overlap - overlap)
    share = _TVERSKY[name]
    return np.minimum(1.0, overlap / (share * ref_overlap + (1.0 - share) * fit_overlap))
