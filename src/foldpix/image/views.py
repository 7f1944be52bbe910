"""What an image says, residue by residue: each row is one residue's view of the whole chain."""

import math
from dataclasses import dataclass
from typing import Any

from array_api_compat import array_namespace, device

from foldpix.geometry import relative_rotations

GREY_LEVELS = 255
#: Spread of values between the levels of an 8-bit image, in levels.
ROUNDING = 1 / math.sqrt(12)
_PHI, _THETA = math.pi / GREY_LEVELS, 2.0 * math.pi / GREY_LEVELS
#: What one level turns a direction, along either tangent: root mean square of phi and of theta times sin phi,
#: whose square is 2 / 3 on the average of the sphere.
RADIAN_A_LEVEL = math.sqrt((_PHI**2 + _THETA**2 * 2.0 / 3.0) / 2.0)
#: What noise of one level leaves as the disagreement of :func:`foldpix.geometry.synchronize` (measured).
DISAGREEMENT_A_LEVEL = 0.0259


@dataclass(frozen=True)
class Views:
    """The contents of an image in the local frames of its residues.

    Parameters
    ----------
    distance : array, shape=(..., L, L)
        CB to CB in angstrom; symmetric.
    direction : array, shape=(..., L, 3, L)
        Unit vector from CB_i to CB_j in the frame of residue i, at [..., i, :, j].
    rotation : array, shape=(..., 3, 3, L, L)
        Turns vectors in the frame of j into that of i, at [..., i, j].
    mask : array, shape=(..., L)
        1 for residues, 0 for padding.
    pairs : array, shape=(..., L, L)
        1 for the pairs of two different residues, else 0.
    d_max : array, shape=(..., 1, 1)
        Longer distances are not in the image, angstrom.
    """

    distance: Any
    direction: Any
    rotation: Any
    mask: Any
    pairs: Any
    d_max: Any

    def known(self, noise: Any) -> Any:
        """Pairs whose distance did not reach d_max, by the noise in grey levels (...): bool (..., L, L)."""
        doubt = (0.5 + 3.0 * noise[..., None, None]) * (self.d_max / GREY_LEVELS)
        return (self.distance < self.d_max - doubt) & (self.pairs > 0)


def read_views(image: Any, d_max: Any, mask: Any) -> Views:
    """Image (..., 3, L, L) in [-1, 1], d_max (..., 1, 1), mask (..., L) of zeros and ones."""
    xp = array_namespace(image)
    first = image[..., 0, :, :]
    distance = xp.tril((first + 1.0) * (0.5 * d_max), k=-1)
    omega = xp.triu(first, k=1) * math.pi
    theta, phi = image[..., 1, :, :] * math.pi, (image[..., 2, :, :] + 1.0) * (0.5 * math.pi)
    direction, rotation = relative_rotations(omega + xp.matrix_transpose(omega), theta, phi)
    distance = distance + xp.matrix_transpose(distance)
    others = 1.0 - xp.eye(mask.shape[-1], dtype=mask.dtype, device=device(mask))
    pairs = mask[..., None] * mask[..., None, :] * others
    return Views(distance, direction, rotation, mask, pairs, d_max)
