"""Fits ``src/foldpix/generation/mixtures.json`` on a folder of real chains with an ``index.csv``.

    python -m scripts.generation.fit_mixtures FOLDER

For every letter of secondary structure and every class of residue: a mixture of normal distributions of phi
and psi by expectation-maximisation, and the mean and spread of omega.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from foldpix.generation.walk import walk
from scripts.generation.labelled_chains import labelled_chains

TARGET = Path(__file__).parents[2] / "src" / "foldpix" / "generation" / "mixtures.json"

#: Most components of each letter; P and L are single basins.
COMPONENTS = {"H": 2, "E": 4, "G": 3, "I": 2, "P": 1, "L": 1, "T": 6, "C": 6}

#: Letters whose residues each law is fitted on: a statistical coil has all that is not regular.
MEMBERS = {letter: letter for letter in COMPONENTS} | {"C": "CPL"}

#: Residues that a cis bond joins to proline are fitted whatever their letter. They are few and often wrong.
CIS, CIS_COMPONENTS, CIS_KEPT = "cis", 2, 0.85

#: Share of the residues that is kept, those in the most populated cells of CELL degrees; residues needed
#: for a law of its own and for each component; most residues used.
KEPT, CELL, ENOUGH, PER_COMPONENT, MOST = 0.98, 10, 150, 150, 10_000

#: Components thinner than this at their peak (twice an even spread, per square degree) are outliers.
LEAST_DENSITY = 2.0 / 360.0**2

#: Draws end at so many spreads, and spreads are cut until no draw brings the O before a residue nearer than
#: NEAREST (angstrom) to its C and O or to the next N.
TAIL, NEAREST = 2.5, 2.22

#: Degrees of omega before the residue that draws reach.
OMEGA_TAIL = 10.0

ROUNDS, RESTARTS, LEAST_SPREAD = 100, 3, 2.0


def main(folder: Path) -> None:
    chains = list(labelled_chains(folder))
    letters = np.concatenate([np.array(list(_without_ends(chain.labels))) for chain in chains])
    kinds = np.concatenate([residue_kinds(chain.sequence) for chain in chains])
    torsions = np.concatenate([chain.torsions for chain in chains])
    source = f"{len(chains)} experimental chains, {len(letters)} residues; scripts/generation/fit_mixtures.py"
    columns = "weight, phi, psi, spread of phi, of psi with phi, of psi alone; degrees"
    table = {"source": source, "columns": columns} | dict(laws(letters, kinds, torsions))
    rows = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in table.items()]
    TARGET.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def _without_ends(labels: str) -> str:
    """Labels with ? for the two residues at either end of alpha helices, which fray."""
    return re.sub("H+", lambda run: f"??{run[0][4:]}??"[: len(run[0])], labels)


def residue_kinds(sequence: str) -> np.ndarray:
    """What a residue is and what follows: general, G or P, and a further P before proline."""
    own = [letter if letter in "GP" else "A" for letter in sequence]
    follows = ["P" if letter == "P" else "" for letter in sequence[1:]] + [""]
    return np.array([a + b for a, b in zip(own, follows, strict=True)])


def laws(letters: np.ndarray, kinds: np.ndarray, torsions: np.ndarray) -> Iterator[tuple[str, dict]]:
    """Law of each letter and kind; a kind that hardly occurs with a letter has its law of coil."""
    known = np.isfinite(torsions).all(axis=1)
    trans = known & (np.abs(torsions[:, 2]) > 150.0)
    for kind in ("A", "G", "P", "AP", "GP", "PP"):
        for letter, size in COMPONENTS.items():
            chosen = trans & (kinds == kind) & np.isin(letters, list(MEMBERS[letter]))
            if chosen.sum() >= ENOUGH:
                yield f"{letter} {kind}", law(torsions[chosen], size)
    for kind in ("AP", "GP", "PP"):
        yield (
            f"{CIS} {kind}",
            law(torsions[known & (kinds == kind) & (np.abs(torsions[:, 2]) < 30.0)], CIS_COMPONENTS),
        )


def law(torsions: np.ndarray, size: int, share: float = KEPT) -> dict:
    """Number of residues, median and spread of omega (by percentiles, as there are outliers), components."""
    omega = torsions[:, 2] % 360.0 if np.abs(torsions[0, 2]) > 90.0 else torsions[:, 2]
    low, middle, high = np.percentile(omega, [5, 50, 95])
    weights, means, covariances = fit(populated(torsions[:, :2], share), size)
    factors = np.linalg.cholesky(covariances)
    dense = weights > LEAST_DENSITY * 2.0 * np.pi * factors[:, 0, 0] * factors[:, 1, 1]
    weights = np.where(dense, weights, 0.0) / weights[dense].sum()
    rows = [_row(weights[k], wrapped(means[k]), factors[k]) for k in np.argsort(-weights)[: dense.sum()]]
    rows[0][0] = round(1.0 - sum(row[0] for row in rows[1:]), 3)
    spread = (high - low) / 3.29
    return {"residues": len(torsions), "omega": [round(middle, 1), round(spread, 1)], "components": rows}


def _row(weight: float, mean: np.ndarray, factor: np.ndarray) -> list[float]:
    while _nearest(mean, factor) < NEAREST:
        factor = 0.98 * factor
    numbers = (*mean, factor[0, 0], factor[1, 0], factor[1, 1])
    return [round(float(weight), 3), *(round(float(number), 1) for number in numbers)]


def _nearest(mean: np.ndarray, factor: np.ndarray) -> float:
    """Least distance from O of the residue before to C, O and the next N, at and within the ends of draws."""
    steps = np.linspace(-TAIL, TAIL, 11)
    z1, z2, omega = (part.ravel() for part in np.meshgrid(steps, steps, 180.0 + OMEGA_TAIL * steps / TAIL))
    torsions = np.zeros((len(z1), 3, 3))
    torsions[:, 0, 2] = omega
    torsions[:, 1, 0] = mean[0] + factor[0, 0] * z1
    torsions[:, 1, 1] = mean[1] + factor[1, 0] * z1 + factor[1, 1] * z2
    coords = np.empty((len(z1), 3, 5, 3))
    walk(np.radians(torsions), np.zeros(3, dtype=bool), coords)
    others = np.stack([coords[:, 1, 2], coords[:, 1, 3], coords[:, 2, 0]], axis=1)
    return float(np.linalg.norm(others - coords[:, :1, 3], axis=-1).min())


def populated(points: np.ndarray, share: float) -> np.ndarray:
    """The share of the points (n, 2) that lies in the most populated cells, MOST points at the most."""
    cells = np.floor((points + 180.0) / CELL).astype(int) % (360 // CELL)
    counts = np.zeros((360 // CELL,) * 2)
    np.add.at(counts, tuple(cells.T), 1.0)
    smooth = sum(np.roll(counts, (a, b), (0, 1)) for a in (-1, 0, 1) for b in (-1, 0, 1))
    density = smooth[tuple(cells.T)]
    kept = points[density >= np.quantile(density, 1.0 - share)]
    return np.random.default_rng(0).permutation(kept)[:MOST]


def fit(points: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The likeliest of a few fits: weights (K,), means (K, 2), covariances (K, 2, 2)."""
    size = max(1, min(most, len(points) // PER_COMPONENT))
    fits = [expectation_maximisation(points, size, np.random.default_rng(k)) for k in range(RESTARTS)]
    return max(fits, key=lambda found: found[0])[1:]


def expectation_maximisation(
    points: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    means = _spread_out(points, size, rng)
    weights, covariances = np.full(size, 1.0 / size), np.stack([np.eye(2) * 20.0**2] * size)
    likelihood = -np.inf
    for _ in range(ROUNDS):
        apart = wrapped(points[:, None] - means)
        exponent = np.einsum("nki,kij,nkj->nk", apart, np.linalg.inv(covariances), apart)
        log_density = np.log(weights) - 0.5 * (exponent + np.log(np.linalg.det(covariances)))
        top = log_density.max(axis=1, keepdims=True)
        share = np.exp(log_density - top)
        likelihood = float((top[:, 0] + np.log(share.sum(axis=1))).mean())
        share /= share.sum(axis=1, keepdims=True)
        total = share.sum(axis=0) + 1e-9
        shift = np.einsum("nk,nki->ki", share, apart) / total[:, None]
        weights, means = total / total.sum(), wrapped(means + shift)
        covariances = np.einsum("nk,nki,nkj->kij", share, apart, apart) / total[:, None, None]
        covariances += LEAST_SPREAD**2 * np.eye(2) - shift[:, :, None] * shift[:, None]
    return likelihood, weights, means, covariances


def _spread_out(points: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Starting means far from each other (k-means++)."""
    chosen = [points[rng.integers(len(points))]]
    while len(chosen) < size:
        squared = np.square(wrapped(points[:, None] - np.array(chosen))).sum(axis=2).min(axis=1)
        chosen.append(points[rng.choice(len(points), p=squared / squared.sum())])
    return np.array(chosen)


def wrapped(degrees: np.ndarray) -> np.ndarray:
    return (degrees + 180.0) % 360.0 - 180.0


if __name__ == "__main__":
    main(Path(sys.argv[1]))
