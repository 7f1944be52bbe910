"""Frames of all residues from their relative rotations: rotation synchronisation (Singer 2011)."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry.vector import orthonormal

# Each round shrinks what noise adds to the three leading eigenvectors by its share of the eigenvalue: even at
# 16 grey levels of noise a third one changes nothing.
_ROUNDS = 2


def relative_rotations(omega: Any, theta: Any, phi: Any) -> tuple[Any, Any]:
    """Where residue i sees residue j, and how j is turned: from the angles alone, whatever the distance.

    Parameters
    ----------
    omega, theta, phi : array, shape=(..., L, L)
        As :func:`foldpix.geometry.orientation_maps` makes them, radian.

    Returns
    -------
    direction : array, shape=(..., L, 3, L)
        Unit vector from CB_i to CB_j in the frame of residue i, at [..., i, :, j].
    rotation : array, shape=(..., 3, 3, L, L)
        Turns vectors in the frame of j into that of i, at [..., i, j].
    """
    xp = array_namespace(theta)
    sin_theta, cos_theta, sin_phi, cos_phi = xp.sin(theta), xp.cos(theta), xp.sin(phi), xp.cos(phi)
    # At residue i: towards CB_j; across that, towards CA_i; and the normal of both.
    along = (sin_phi * cos_theta, sin_phi * sin_theta, -cos_phi)
    across = (-cos_phi * cos_theta, -cos_phi * sin_theta, -sin_phi)
    normal = (-sin_theta, cos_theta)
    # Omega turns the second of i around the line CB_i CB_j into that of j.
    sin_omega, cos_omega = xp.sin(omega), xp.cos(omega)
    turned = [cos_omega * part for part in across]
    lifted = [cos_omega * part for part in normal]
    for a, part in enumerate(normal):
        turned[a] += sin_omega * part
        lifted[a] -= sin_omega * across[a]

    # Copies, as a product with a transposed view would take its elements from all over the memory.
    at_j = xp.stack([xp.matrix_transpose(x) for x in (*along, *across, *normal)])

    def element(a: int, b: int) -> Any:
        part = turned[a] * at_j[3 + b]
        part -= along[a] * at_j[b]
        if b < 2:
            part -= lifted[a] * at_j[6 + b]
        return part

    # Turning back from i to j is the transpose, so half of the elements are transposes of the others.
    upper = {(a, b): element(a, b) for a in range(3) for b in range(a, 3)}
    lower = {(b, a): xp.matrix_transpose(part) for (a, b), part in upper.items() if a < b}
    rotation = xp.stack([(upper | lower)[a, b] for a in range(3) for b in range(3)], axis=-3)
    shape = (*rotation.shape[:-3], 3, 3, *rotation.shape[-2:])
    return xp.stack(along, axis=-2), xp.reshape(rotation, shape)


def synchronize(rotation: Any, mask: Any) -> tuple[Any, Any]:
    """Frames whose relative rotations agree best with the given ones.

    The relative rotations of frames ``R_i`` are the blocks ``R_i R_j^T`` of a matrix of rank three, so
    the three leading eigenvectors of the given blocks are the frames, whose errors average out over j.

    Parameters
    ----------
    rotation : array, shape=(..., 3, 3, L, L)
        As :func:`relative_rotations` makes them; what stands at i = j is not used.
    mask : array, shape=(..., L)
        1 for residues, 0 for padding. The first is a residue.

    Returns
    -------
    axes : array, shape=(..., L, 3, 3)
        Rows x, y, z of each frame, up to one rotation of all.
    disagreement : array, shape=(...)
        Root mean square distance between given and found relative rotations: 0 to 1, and more where they
        contradict each other.
    """
    xp, length = array_namespace(mask), mask.shape[-1]
    real = mask[..., None, :, None]
    # Coordinate by coordinate, (..., 3, L, 3): the frames that the first residue gives to all.
    identity = xp.eye(3, dtype=mask.dtype, device=device(mask))[:, None, :]
    is_first = xp.astype(xp.arange(length, device=device(mask)) == 0, mask.dtype)[:, None]
    given = xp.moveaxis(rotation[..., 0], -2, -1) * real
    vectors = _orthonormal_columns(given * (1.0 - is_first) + identity * is_first)
    for _ in range(_ROUNDS):
        vectors = _orthonormal_columns(_apply(rotation, vectors * real) * real + vectors)
    axes = _proper(xp.moveaxis(vectors, -3, -2), mask)

    frames = xp.moveaxis(axes * mask[..., None, None], -2, -3)
    num = xp.sum(mask, axis=-1)
    agreement = xp.sum(frames * _apply(rotation, frames), axis=(-3, -2, -1))
    return axes, xp.sqrt(xp.clip(1.0 - agreement / (3.0 * num * (num - 1.0)), 0.0, None))


def _apply(rotation: Any, vectors: Any) -> Any:
    """What all others say of each residue: rotations but those at i = j, times vectors (..., 3, L, 3)."""
    xp, vectors = array_namespace(rotation), vectors[..., None, :, :, :]
    own = xp.linalg.diagonal(rotation)[..., None]
    return xp.sum(rotation @ vectors - own * vectors, axis=-3)


def _orthonormal_columns(vectors: Any) -> Any:
    xp, shape = array_namespace(vectors), vectors.shape
    columns, _ = xp.linalg.qr(xp.reshape(vectors, (*shape[:-3], 3 * shape[-2], 3)))
    return xp.reshape(columns, shape)


def _proper(frames: Any, mask: Any) -> Any:
    """Proper rotations near ``frames``, after the one reflection that eigenvectors leave open."""
    xp = array_namespace(frames)
    sign = xp.sign(xp.sum(xp.linalg.det(frames), axis=-1))[..., None, None, None]
    identity = xp.eye(3, dtype=frames.dtype, device=device(frames))
    frames = frames * sign + (1.0 - mask)[..., None, None] * identity
    return orthonormal(frames[..., 0, :], frames[..., 2, :])
