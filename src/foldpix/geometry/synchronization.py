"""Frames of all residues from their relative rotations: rotation synchronisation (Singer 2011)."""

from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry.superposition import best_rotation

# Each round shrinks what noise adds to the three leading eigenvectors by its share of the eigenvalue,
# below a half even at 16 grey levels of noise.
_ROUNDS = 4


def relative_rotations(omega: Any, theta: Any, phi: Any) -> tuple[tuple[Any, ...], list[list[Any]]]:
    """Where residue i sees residue j, and how j is turned: from the angles alone, whatever the distance.

    Parameters
    ----------
    omega, theta, phi : array, shape=(..., L, L)
        As :func:`foldpix.geometry.orientation_maps` makes them, radian.

    Returns
    -------
    direction : tuple of 3 arrays, shape=(..., L, L)
        x, y, z of the unit vector from CB_i to CB_j in the frame of residue i.
    rotation : 3 x 3 lists of arrays, shape=(..., L, L)
        Element a, b turns vectors in the frame of j into that of i.
    """
    xp = array_namespace(theta)
    sin_theta, cos_theta, sin_phi, cos_phi = xp.sin(theta), xp.cos(theta), xp.sin(phi), xp.cos(phi)
    # At residue i: towards CB_j; across that, towards CA_i; and the normal of both.
    along = (sin_phi * cos_theta, sin_phi * sin_theta, -cos_phi)
    across = (-cos_phi * cos_theta, -cos_phi * sin_theta, -sin_phi)
    normal = (-sin_theta, cos_theta)
    # Omega turns the second of i around the line CB_i CB_j into that of j.
    sin_omega, cos_omega = xp.sin(omega), xp.cos(omega)
    turned = [cos_omega * across[a] + sin_omega * n for a, n in enumerate(normal)]
    turned.append(cos_omega * across[2])
    lifted = [cos_omega * n - sin_omega * across[a] for a, n in enumerate(normal)]
    lifted.append(-sin_omega * across[2])

    at_j = [[xp.matrix_transpose(x) for x in vector] for vector in (along, across, normal)]
    rotation = []
    for a in range(3):
        row = [turned[a] * at_j[1][b] - along[a] * at_j[0][b] for b in range(3)]
        rotation.append([row[0] - lifted[a] * at_j[2][0], row[1] - lifted[a] * at_j[2][1], row[2]])
    return along, rotation


def synchronize(rotation: list[list[Any]], mask: Any) -> tuple[Any, Any]:
    """Frames whose relative rotations agree best with the given ones.

    The relative rotations of frames ``R_i`` are the blocks ``R_i R_j^T`` of a matrix of rank three, so
    the three leading eigenvectors of the given blocks are the frames, whose errors average out over j.

    Parameters
    ----------
    rotation : 3 x 3 lists of arrays, shape=(..., L, L)
        As :func:`relative_rotations` makes them; the diagonal is not used.
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
    blocks = _blocks(rotation, mask)
    vectors = blocks[..., ::length]
    for _ in range(_ROUNDS):
        vectors, _ = xp.linalg.qr(blocks @ vectors)
    axes = _proper(_frames(vectors))
    stacked = xp.reshape(xp.moveaxis(axes * mask[..., None, None], -2, -3), vectors.shape)
    num = xp.sum(mask, axis=-1)
    agreement = xp.sum(stacked * (blocks @ stacked), axis=(-2, -1)) - 3.0 * num
    return axes, xp.sqrt(xp.clip(1.0 - agreement / (3.0 * num * (num - 1.0)), 0.0, None))


def _blocks(rotation: list[list[Any]], mask: Any) -> Any:
    """One matrix (..., 3 L, 3 L): axis by axis, so that whole planes are copied; ones on its diagonal."""
    xp = array_namespace(mask)
    own = xp.eye(mask.shape[-1], dtype=mask.dtype, device=device(mask)) * mask[..., None]
    pairs = mask[..., None] * mask[..., None, :] - own
    planes = [
        [part * pairs + own if a == b else part * pairs for b, part in enumerate(row)]
        for a, row in enumerate(rotation)
    ]
    return xp.concat([xp.concat(row, axis=-1) for row in planes], axis=-2)


def _frames(vectors: Any) -> Any:
    """(..., 3 L, 3) -> (..., L, 3, 3)."""
    xp = array_namespace(vectors)
    shape = (*vectors.shape[:-2], 3, vectors.shape[-2] // 3, 3)
    return xp.moveaxis(xp.reshape(vectors, shape), -3, -2)


def _proper(frames: Any) -> Any:
    """The nearest rotations, after the one reflection that eigenvectors leave open."""
    xp = array_namespace(frames)
    sign = xp.sign(xp.sum(xp.linalg.det(frames), axis=-1))[..., None, None, None]
    rotation, _ = best_rotation(xp.matrix_transpose(frames * sign))
    return rotation
