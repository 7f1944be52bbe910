"""Which steps bring a chain back best: a beam search that sees the errors of the steps before.

The first residue lies in the chain's own frame. From there on every partial chain is extended by every step,
and those with the least squared deviation of N, CA, C from the true chain are kept. As the deviation is that
of the decoded atoms, in one frame for the whole chain, a step makes up for what earlier ones left: errors do
not add up. (The build-up of lattice and off-lattice models of Park & Levitt 1995, with a learnt codebook.)
"""

import numpy as np
from numba import njit

# Distances of this many codes are computed at a time, to stay in the processor's first cache.
_BLOCK = 512


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"})
def squared_distances(table_DK: np.ndarray, point_D: np.ndarray, out_K: np.ndarray) -> None:
    """Squared distance of a point to each column of a table, all float32."""
    for start in range(0, len(out_K), _BLOCK):
        out = out_K[start : start + _BLOCK]
        out[:] = 0.0
        for d in range(len(table_DK)):
            row, value = table_DK[d, start : start + _BLOCK], point_D[d]
            for k in range(len(out)):
                difference = row[k] - value
                out[k] += difference * difference


@njit(cache=True, nogil=True)
def search(
    target_L33: np.ndarray,
    origin_3: np.ndarray,
    axes_33: np.ndarray,
    table_9K: np.ndarray,
    shapes_9K: np.ndarray,
    shifts_K3: np.ndarray,
    turns_K33: np.ndarray,
    num_beams: int,
) -> tuple[np.ndarray, float]:
    """The codes (L,) of a stretch of bonded residues, and the squared deviation (A^2) of all its atoms.

    The first residue has the frame that is given; its code says its shape alone.
    """
    length, num_codes = len(target_L33), table_9K.shape[1]
    codes_LB = np.zeros((length, num_beams), dtype=np.int64)
    parents_LB = np.zeros((length, num_beams), dtype=np.int64)
    costs = np.zeros(num_beams)
    origins, axes = np.empty((num_beams, 3)), np.empty((num_beams, 3, 3))
    last_origins, last_axes = np.empty((num_beams, 3)), np.empty((num_beams, 3, 3))
    origins[0], axes[0] = origin_3, axes_33
    distances = np.empty(num_codes, dtype=np.float32)
    point = np.empty(9, dtype=np.float32)
    num_live = 1
    for i in range(length):
        last_origins[:], last_axes[:] = origins, axes
        last_costs, num_last, num_live = costs.copy(), num_live, 0
        for b in range(num_last):
            if num_live == num_beams and last_costs[b] >= costs[num_live - 1]:
                break
            _local(target_L33[i], last_origins[b], last_axes[b], point)
            squared_distances(shapes_9K if i == 0 else table_9K, point, distances)
            num_live = _keep_best(distances, b, last_costs[b], costs, codes_LB[i], parents_LB[i], num_live)
        # All first residues lie alike: to go on from more than the best would be to go the same ways again.
        num_live = num_live if i > 0 else 1
        for b in range(num_live):
            code, parent = codes_LB[i, b], parents_LB[i, b]
            origins[b], axes[b] = last_origins[parent], last_axes[parent]
            if i > 0:
                _advance(shifts_K3[code], turns_K33[code], origins[b], axes[b])
    return _trace_back(codes_LB, parents_LB), costs[0]


@njit(cache=True, nogil=True)
def _local(atoms_33: np.ndarray, origin_3: np.ndarray, axes_33: np.ndarray, out_9: np.ndarray) -> None:
    """N, CA, C as seen from a frame."""
    for a in range(3):
        x, y, z = atoms_33[a] - origin_3
        for j in range(3):
            out_9[3 * a + j] = axes_33[j, 0] * x + axes_33[j, 1] * y + axes_33[j, 2] * z


@njit(cache=True, nogil=True)
def _keep_best(
    distances_K: np.ndarray,
    parent: int,
    cost: float,
    costs_B: np.ndarray,
    codes_B: np.ndarray,
    parents_B: np.ndarray,
    num_live: int,
) -> int:
    """Put a partial chain's extensions among the best so far, which stay sorted; how many they are."""
    limit = costs_B[num_live - 1] - cost if num_live == len(costs_B) else np.inf
    for k in range(len(distances_K)):
        if distances_K[k] >= limit:
            continue
        total = cost + distances_K[k]
        place = min(num_live, len(costs_B) - 1)
        while place > 0 and costs_B[place - 1] > total:
            costs_B[place], codes_B[place] = costs_B[place - 1], codes_B[place - 1]
            parents_B[place] = parents_B[place - 1]
            place -= 1
        costs_B[place], codes_B[place], parents_B[place] = total, k, parent
        num_live = min(num_live + 1, len(costs_B))
        if num_live == len(costs_B):
            limit = costs_B[num_live - 1] - cost
    return num_live


@njit(cache=True, nogil=True)
def _advance(shift_3: np.ndarray, turn_33: np.ndarray, origin_3: np.ndarray, axes_33: np.ndarray) -> None:
    """Move a frame on by a step."""
    for j in range(3):
        for k in range(3):
            origin_3[j] += shift_3[k] * axes_33[k, j]
    axes_33[:] = turn_33 @ axes_33


@njit(cache=True, nogil=True)
def _trace_back(codes_LB: np.ndarray, parents_LB: np.ndarray) -> np.ndarray:
    codes_L = np.empty(len(codes_LB), dtype=np.int64)
    beam = 0
    for i in range(len(codes_LB) - 1, -1, -1):
        codes_L[i], beam = codes_LB[i, beam], parents_LB[i, beam]
    return codes_L


@njit(cache=True, nogil=True)
def walk(
    codes_L: np.ndarray,
    origin_3: np.ndarray,
    axes_33: np.ndarray,
    shifts_K3: np.ndarray,
    turns_K33: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Origins (L, 3) and axes (L, 3, 3) of residues: the first is given, each code leads on."""
    origins, axes = np.empty((len(codes_L), 3)), np.empty((len(codes_L), 3, 3))
    origin, axis = origin_3.copy(), axes_33.copy()
    for i in range(len(codes_L)):
        if i > 0:
            _advance(shifts_K3[codes_L[i]], turns_K33[codes_L[i]], origin, axis)
        origins[i], axes[i] = origin, axis
    return origins, axes
