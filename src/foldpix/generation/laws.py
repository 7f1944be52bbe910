"""Laws of torsions: what the torsions of every residue of every member are drawn from."""

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from foldpix.generation.checks import real_number
from foldpix.generation.conformations import (
    IDEAL,
    LETTERS,
    PROLINE_PHI,
    PROLINE_RANGE,
    given_torsions,
    is_list_of_names,
    label_torsions,
    residue_letters,
    strings,
)
from foldpix.generation.mixtures import (
    BEFORE_PROLINE,
    IS_PROLINE,
    NUM_CODES,
    NUM_COMPONENTS,
    Mixtures,
    cis_mixtures,
    letter_codes,
    residue_codes,
    trans_mixtures,
)
from foldpix.generation.segments import NUM_BEFORE, break_at_prolines, segment_letters

#: Degrees of omega that go with any drift of phi and psi; most degrees that proline's phi drifts.
OMEGA_DRIFT, PROLINE_DRIFT = 2.0, 10.0

#: Standard normal numbers of fitted laws are cut off here: their tails reach where atoms collide.
CUTOFF = 2.5

# The form of a residue is a place in these: an ideal conformation or a letter.
_FORMS = (*IDEAL, *LETTERS)
_LABELS = np.frombuffer(
    "".join([label for _, _, label in IDEAL.values()] + [LETTERS]).encode(), dtype=np.uint8
)
_FORM_OF_LETTER = np.zeros(256, dtype=np.uint8)
_FORM_OF_LETTER[[ord(letter) for letter in LETTERS]] = np.arange(len(IDEAL), len(_FORMS))


class TorsionLaws(NamedTuple):
    """What each residue's torsions are drawn from: mixtures of K normal distributions of phi, psi, omega.

    Parameters
    ----------
    which : ndarray, dtype=int32, shape=(M, L)
        Row of the tables below for each residue; M is 1 where all members are alike, else B.
    cumulative : ndarray, dtype=float32, shape=(T, K)
        Cumulative weights of the components; the last is 1.
    mean : ndarray, dtype=float64, shape=(T, K, 3)
        Radian.
    spread : ndarray, dtype=float64, shape=(T, K, 4)
        a, b, c, d in radian: with standard normal z, phi is its mean + a z1, psi its mean + b z1 + c z2,
        omega its mean + d z3.
    cutoff : ndarray, shape=(M,)
        Where the normal numbers are cut off: infinite for members whose torsions are given, not drawn.
    """

    which: np.ndarray
    cumulative: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    cutoff: np.ndarray


def laws_of(
    conformation: Any,
    chains: Sequence[Sequence[str]],
    seed: int,
    members: np.ndarray,
    drift: float = 0.0,
    cis_proline: float = 0.0,
) -> tuple[TorsionLaws, list[str]]:
    """Laws of the members of a batch, and the letter of each of their residues.

    Parameters
    ----------
    conformation : str, list of str or array
        A name: an ideal conformation of ``IDEAL``; ``random``, a statistical coil; or ``domain``, segments
        of helix, strand, turn and coil drawn for each member. A string of letters, one a residue: drawn
        from the Ramachandran plot of that secondary structure and the residue's class. A list with one of
        these for each member. Or torsions phi, psi, omega in radian, (L, 3) or (B, L, 3), taken as they are.
    chains : sequence of sequences of str
        Names of the residues of each chain, three letters, D-residues with ``D-`` before.
    seed : int
    members : ndarray of int, shape=(B,)
        Their numbers; the segments of member k depend on (seed, k) and where prolines are alone.
    drift : float
        Standard deviation in degrees that is added to phi and psi (in quadrature); omega then has 2 degrees
        more, and proline's phi no more than 10, as its ring allows little (given torsions have it all).
    cis_proline : float
        Share of the peptide bonds before proline that are cis, wherever torsions are not given.

    Returns
    -------
    laws : TorsionLaws
    labels : list of str
        For each member a letter a residue over all chains. An ideal conformation has that of its kind,
        given torsions that of their place in the Ramachandran plot.

    Raises
    ------
    ValueError
        If a conformation is unknown or does not fit the residues or members, a torsion is not finite, or
        drift or cis_proline is out of range.
    """
    _check_shares(drift, cis_proline)
    lengths, codes = [len(chain) for chain in chains], residue_codes(chains)
    if isinstance(conformation, str):
        forms_ML = _forms(conformation, lengths, codes, seed, members)
    elif is_list_of_names(conformation):
        forms_ML = _forms_of_members(conformation, lengths, codes, seed, members)
    else:
        return _given_laws(given_torsions(conformation, lengths, len(members)), len(members), drift)
    labels = strings(_LABELS[forms_ML])
    laws = _drawn_laws(forms_ML, codes, drift, cis_proline)
    return laws, labels if len(labels) == len(members) else labels * len(members)


def ragged_laws(
    conformation: str | Sequence[str],
    sequences: Sequence[str],
    seed: int,
    members: np.ndarray,
    drift: float = 0.0,
    cis_proline: float = 0.0,
) -> tuple[TorsionLaws, list[str]]:
    """Laws of single chains of different sequences.

    Parameters
    ----------
    conformation : str or sequence of str
        A name or letters, for all members or for each; ``domain`` gives the segments of ``sample_segments``.
    sequences : sequence of B str
        One-letter codes, L-residues.
    seed, members, drift, cis_proline
        As in :func:`laws_of`.

    Returns
    -------
    laws : TorsionLaws
        ``which`` has shape (B, L) with L the longest sequence's length; rows behind the end mean nothing.
    labels : list of str
        As long as the sequences.

    Raises
    ------
    ValueError
        As in :func:`laws_of`.
    """
    _check_shares(drift, cis_proline)
    lengths = np.array([len(sequence) for sequence in sequences])
    longest = int(lengths.max())
    padded = "".join(sequence.ljust(longest) for sequence in sequences).encode("ascii")
    codes_BL = letter_codes(np.frombuffer(padded, dtype=np.uint8).reshape(-1, longest))
    forms_BL = _ragged_forms(conformation, lengths, codes_BL, seed, members)
    labels = [
        text[:length] for text, length in zip(strings(_LABELS[forms_BL]), lengths.tolist(), strict=True)
    ]
    return _drawn_laws(forms_BL, codes_BL, drift, cis_proline), labels


def _check_shares(drift: float, cis_proline: float) -> None:
    real_number("drift", drift, 0.0, 180.0, " degrees")
    real_number("cis_proline", cis_proline, 0.0, 1.0, "")


def _ragged_forms(
    conformation: str | Sequence[str],
    lengths: np.ndarray,
    codes_BL: np.ndarray,
    seed: int,
    members: np.ndarray,
) -> np.ndarray:
    """Form of each residue: (B, L), that of the last residue behind the end."""
    if isinstance(conformation, str) and conformation == "domain":
        letters_BL = segment_letters(lengths, seed, members)
        return _FORM_OF_LETTER[break_at_prolines(letters_BL, IS_PROLINE[codes_BL])]
    each = [conformation] * len(lengths) if isinstance(conformation, str) else list(conformation)
    _check_each(each, lengths.tolist(), members)
    forms = [
        _forms(own, [int(length)], codes[:length], seed, member)[0]
        for own, length, codes, member in zip(
            each, lengths, codes_BL, np.asarray(members)[:, None], strict=True
        )
    ]
    return np.stack([np.pad(form, (0, lengths.max() - len(form)), mode="edge") for form in forms])


def _forms(
    conformation: str, lengths: list[int], codes: np.ndarray, seed: int, members: np.ndarray
) -> np.ndarray:
    """Form of each residue: (1, L), or (B, L) where members differ."""
    if conformation in IDEAL:
        return np.full((1, sum(lengths)), _FORMS.index(conformation), dtype=np.uint8)
    if conformation == "domain":
        firsts = np.cumsum(
            [0] + [length + NUM_BEFORE for length in lengths]
        )  # each chain has numbers of its own
        whole = [np.full(len(members), length) for length in lengths]
        parts = [
            segment_letters(each, seed, members, first) for each, first in zip(whole, firsts, strict=False)
        ]
        letters_BL = break_at_prolines(np.concatenate(parts, axis=1), IS_PROLINE[codes])
        return _FORM_OF_LETTER[letters_BL]
    letters = "C" * sum(lengths) if conformation == "random" else residue_letters(conformation, lengths)
    return _FORM_OF_LETTER[np.frombuffer(letters.encode("ascii"), dtype=np.uint8)][None]


def _forms_of_members(
    conformations: Sequence[str], lengths: list[int], codes: np.ndarray, seed: int, members: np.ndarray
) -> np.ndarray:
    _check_each(conformations, lengths, members)
    forms_BL = np.empty((len(members), sum(lengths)), dtype=np.uint8)
    places: dict[str, list[int]] = {}
    for place, conformation in enumerate(conformations):
        places.setdefault(conformation, []).append(place)
    for conformation, same in places.items():
        forms_BL[same] = _forms(conformation, lengths, codes, seed, np.asarray(members)[same])
    return forms_BL


def _check_each(conformations: Sequence[str], lengths: Sequence[int], members: np.ndarray) -> None:
    if len(conformations) != len(members):
        raise ValueError(
            f"{len(conformations)} conformations for {len(members)} members; each member needs one"
        )
    for conformation in conformations:
        if not isinstance(conformation, str):
            residue_letters(conformation, lengths)  # says what there is


def _given_laws(torsions_BL3: np.ndarray, num_members: int, drift: float) -> tuple[TorsionLaws, list[str]]:
    num, length = torsions_BL3.shape[:2]
    spread = _with_drift(np.zeros((1, 1, 4)), drift, drift)
    laws = TorsionLaws(
        np.arange(num * length, dtype=np.int32).reshape(num, length),
        np.ones((num * length, 1), dtype=np.float32),
        torsions_BL3.reshape(-1, 1, 3),
        np.broadcast_to(spread, (num * length, 1, 4)),
        np.full(num, math.inf),
    )
    labels = label_torsions(torsions_BL3)
    return laws, labels if num == num_members else labels * num_members


def _drawn_laws(forms_ML: np.ndarray, codes: np.ndarray, drift: float, cis_proline: float) -> TorsionLaws:
    """Laws of residues of these forms and codes, (L,) or (M, L); the tables hold the forms that occur."""
    occurs = np.flatnonzero(np.bincount(forms_ML.ravel(), minlength=len(_FORMS)))
    row_of_form = np.zeros(len(_FORMS), dtype=np.int32)
    row_of_form[occurs] = NUM_CODES * np.arange(len(occurs))
    weight, mean, spread = (part[occurs] for part in _all_mixtures())
    weight[:, BEFORE_PROLINE] *= 1.0 - cis_proline
    weight[:, BEFORE_PROLINE, -1] = cis_proline
    used = weight.any(axis=(0, 1))
    cumulative = np.cumsum(weight[..., used], axis=-1)
    cumulative[cumulative > 1.0 - 1e-6] = 1.0
    phi_drift = np.where(IS_PROLINE, min(drift, PROLINE_DRIFT), drift)[:, None]
    num = len(occurs) * NUM_CODES
    return TorsionLaws(
        row_of_form[forms_ML] + codes,
        cumulative.astype(np.float32).reshape(num, -1),
        mean[:, :, used].reshape(num, -1, 3),
        _with_drift(spread[:, :, used], drift, phi_drift).reshape(num, -1, 4),
        np.where((forms_ML >= len(IDEAL)).any(axis=1), CUTOFF, math.inf),
    )


def _with_drift(spread: np.ndarray, drift: float, phi_drift: Any) -> np.ndarray:
    """Spreads (..., 4) with normal deviations added: of psi by drift, of phi by phi_drift, in degrees."""
    if drift == 0.0:
        return spread
    a, b, c, d = np.moveaxis(spread, -1, 0)
    phi = np.hypot(a, np.radians(phi_drift))
    shared = a * b / phi
    alone = np.sqrt(b**2 + c**2 + np.radians(drift) ** 2 - shared**2)
    return np.stack([phi, shared, alone, np.hypot(d, np.radians(OMEGA_DRIFT))], axis=-1)


@cache
def _all_mixtures() -> Mixtures:
    """Of each form and code; the last component is that of cis bonds, without weight."""
    whole = []
    for letters, cis, ideal, ideal_cis in zip(
        trans_mixtures(), cis_mixtures(), _ideal(180.0), _ideal(0.0), strict=True
    ):
        trans = np.concatenate([np.repeat(ideal, NUM_COMPONENTS, axis=2), letters])
        cis = np.broadcast_to(cis, (*letters.shape[:2], *cis.shape[1:]))
        whole.append(np.concatenate([trans, np.concatenate([ideal_cis, cis])], axis=2))
    weight, mean, spread = whole
    weight[: len(IDEAL), :, 1:] = 0.0
    weight[..., -1] = 0.0
    return Mixtures(weight, mean, spread)


def _ideal(omega: float) -> Mixtures:
    """The ideal conformations of all codes as single components: (9, 12, 1, ...)."""
    mean = np.empty((len(IDEAL), NUM_CODES, 1, 3))
    for place, (phi, psi, _) in enumerate(IDEAL.values()):
        mean[place, :, 0] = phi, psi, omega
        if not PROLINE_RANGE[0] <= phi <= PROLINE_RANGE[1]:
            mean[place, IS_PROLINE, 0, 0] = PROLINE_PHI
    mean[:, 1::2, :, :2] *= -1.0
    return Mixtures(np.ones(mean.shape[:3]), np.radians(mean), np.zeros((*mean.shape[:3], 4)))
