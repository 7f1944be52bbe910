"""Overlaps of clouds as they are defined, point by point in float64."""

import numpy as np

from foldpix.alignment import Charged, Pharmacophore

WIDE, DIRECTED = (2, 3), (0, 1, 2, 4)


def gaussians(a, b, alpha):
    return float(np.exp(-0.5 * alpha * ((a[:, None] - b[None]) ** 2).sum(-1)).sum())


def tanimoto(a, b, alpha):
    both = gaussians(a, b, alpha)
    return both / (gaussians(a, a, alpha) + gaussians(b, b, alpha) - both)


def overlap(which, a, b):
    if isinstance(which, Pharmacophore):
        return sum(_features(which, a, b, i, j) for i in range(len(a)) for j in range(len(b)))
    square = ((a.points[:, None] - b.points[None]) ** 2).sum(-1)
    weight = 1.0
    if isinstance(which, Charged):
        weight = np.exp(-((a.charges[:, None] - b.charges[None]) ** 2) / which.lam)
    return float((weight * np.exp(-0.5 * which.alpha * square)).sum())


def _features(which, a, b, i, j):
    kind = a.types[i]
    if kind != b.types[j]:
        return 0.0
    alpha = 0.7 if kind in WIDE else 1.0
    factor = (np.pi / (2.0 * alpha)) ** 1.5
    term = lambda p, q: factor * np.exp(-0.5 * alpha * ((p - q) ** 2).sum())  # noqa: E731
    u, v = (x / np.linalg.norm(x) for x in (a.vectors[i], b.vectors[j]))
    plain = term(a.points[i], b.points[j])
    if which.extended_points and kind in (0, 1, 4):
        ends = term(a.points[i] + a.vectors[i], b.points[j] + b.vectors[j])
        return ends + (0.0 if which.only_extended else plain)
    if kind not in DIRECTED:
        return plain
    cosine = abs(u @ v) if kind == 2 else max(0.0, u @ v)
    return plain * (cosine + 2.0) / 3.0
