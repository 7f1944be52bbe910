"""Distances too long for the image, from residues between."""

from typing import Any

from array_api_compat import array_namespace


def complete_distances(distance: Any, direction: Any, known: Any, wanted: Any) -> Any:
    """Distances with the unknown ones filled in.

    A residue k that sees both i and j knows their distance: ``|v_ki - v_kj|`` with ``v`` the places in its
    own frame. The mean of the squares over all k takes three matrix products. What has been found lets k
    see further, as directions are known at any distance, so every round doubles the reach.

    Parameters
    ----------
    distance : array, shape=(..., L, L)
        Symmetric, angstrom.
    direction : array, shape=(..., L, 3, L)
        Unit vector from CB_k to CB_i in the frame of residue k, for k, i.
    known : array, dtype=bool, shape=(..., L, L)
        Pairs whose distance is to be trusted; symmetric.
    wanted : array, dtype=bool, shape=(..., L, L)
        Pairs to be filled in; symmetric.

    Returns
    -------
    array, shape=(..., L, L)
        Pairs that no chain of residues connects keep their value.
    """
    xp = array_namespace(distance)
    open_pairs = wanted & ~known
    while bool(xp.any(open_pairs)):
        estimate, witnesses = _seen_by_others(distance, direction, xp.astype(known, distance.dtype))
        found = open_pairs & (witnesses > 0)
        if not bool(xp.any(found)):
            break
        # Unknown means at least as far as the value it has.
        distance = xp.where(found, xp.maximum(estimate, distance), distance)
        known, open_pairs = known | found, open_pairs & ~found
    return distance


def _seen_by_others(distance: Any, direction: Any, known: Any) -> tuple[Any, Any]:
    """Root mean square distance of i and j in the eyes of the residues k that know both, and their number."""
    xp = array_namespace(distance)
    place = direction * (distance * known)[..., None, :]
    place = xp.reshape(place, (*distance.shape[:-2], -1, distance.shape[-1]))
    squared = xp.matrix_transpose(distance * distance * known) @ known
    total = squared + xp.matrix_transpose(squared) - 2.0 * xp.matrix_transpose(place) @ place
    witnesses = xp.matrix_transpose(known) @ known
    return xp.sqrt(xp.clip(total / xp.clip(witnesses, 1.0, None), 0.0, None)), witnesses
