"""One image to one structure, as a worker does it; without torch, so that workers start quickly."""

import csv
import hashlib
import io
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from foldpix.dataset.pictures import StoredPicture
from foldpix.geometry import backbone_torsions, peptide_bonds
from foldpix.image import Decoded, decode, from_pixels, read_png
from foldpix.jobs.decode_rows import DecodedRow, Status
from foldpix.structure import Backbone, write_structure
from foldpix.structure.whole import write_whole

#: The most that a B-factor column of the PDB format holds.
LARGEST_ERROR = 999.99


@dataclass(frozen=True)
class Output:
    """Where structures go, and how they are made.

    Parameters
    ----------
    folder : Path
    format : str
        Suffix of the structures, without its first dot.
    torsions, refine : bool
    """

    folder: Path
    format: str = "pdb"
    torsions: bool = False
    refine: bool = True

    def structure(self, id: str) -> Path:
        """The structure of a chain."""
        return self.folder / f"{id}.{self.format}"

    def torsion_table(self, id: str) -> Path:
        """The torsions of a chain."""
        return self.folder / f"{id}.torsions.csv"

    def has(self, row: DecodedRow | None, checksum: str) -> bool:
        """All that is asked for of an input is there since an earlier run."""
        return (
            row is not None
            and (row.checksum, row.refined) == (checksum, self.refine)
            and self.structure(row.id).exists()
            and (not self.torsions or self.torsion_table(row.id).exists())
        )


@dataclass(frozen=True)
class ChainImage:
    """An image with what its structure needs beside it.

    Parameters
    ----------
    id, chain, sequence : str
    image : ndarray, shape=(3, L, L)
    d_max : float
    source, checksum : str
        For the row.
    """

    id: str
    chain: str
    sequence: str
    image: np.ndarray
    d_max: float
    source: str
    checksum: str


@dataclass(frozen=True)
class ChainCoords:
    """A backbone that a tokenizer decoded itself; other fields as those of `ChainImage`.

    Parameters
    ----------
    coords : ndarray, shape=(L, 3, 3)
        N, CA, C in angstrom.
    deviation : float
        How far (angstrom) it is from the backbone that was encoded; NaN where that is not known.
    """

    id: str
    chain: str
    sequence: str
    coords: np.ndarray
    source: str
    checksum: str
    deviation: float = math.nan


class Outcome(NamedTuple):
    """An input's row, and whether this run made its structure."""

    row: DecodedRow
    is_new: bool = True


def decode_stored(stored: StoredPicture, earlier: DecodedRow | None, output: Output) -> Outcome:
    """Decode a PNG, unless its structure is there from the same PNG."""
    source, checksum = str(stored.path), ""
    try:
        png = stored.read()
        checksum = hashlib.md5(png).hexdigest()
        if earlier is not None and output.has(earlier, checksum):
            return Outcome(replace(earlier, source=source), is_new=False)
        picture = read_png(png)
    except (ValueError, OSError) as error:
        return failure(stored.id, error, source, checksum)
    image = from_pixels(picture.pixels)
    return decode_image(
        ChainImage(stored.id, picture.chain, picture.sequence, image, picture.d_max, source, checksum), output
    )


def decode_image(shown: ChainImage, output: Output) -> Outcome:
    """Decode an image and write its structure, and its torsions where they are wanted."""
    try:
        if not np.isfinite(shown.image).all():
            raise ValueError("the image is not finite: the tokenizer's run diverged")
        decoded = decode(shown.image, shown.d_max, refine=output.refine)
        _write(decoded.coords, decoded.bonded, np.minimum(decoded.error, LARGEST_ERROR), shown, output)
    except (ValueError, OSError) as error:
        return failure(shown.id, error, shown.source, shown.checksum)
    reason = _suspicion(decoded)
    row = DecodedRow(
        shown.id,
        Status.SUSPICIOUS if reason else Status.DECODED,
        reason,
        len(shown.sequence),
        float(np.mean(decoded.error)),
        float(decoded.residual),
        float(decoded.margin),
        int(np.sum(~decoded.bonded)),
        int(output.refine),
        shown.source,
        shown.checksum,
    )
    return Outcome(row)


def write_coords(shown: ChainCoords, output: Output) -> Outcome:
    """Write the structure of a backbone, with its deviation, if known, as the error of each residue."""
    try:
        if not np.isfinite(shown.coords).all():
            raise ValueError("the backbone is not finite: the tokenizer's run diverged")
        bonded = peptide_bonds(shown.coords, np.ones(len(shown.coords))).bonded
        error = None if math.isnan(shown.deviation) else np.full(len(shown.coords), shown.deviation)
        _write(shown.coords, bonded, error, shown, output)
    except (ValueError, OSError) as error:
        return failure(shown.id, error, shown.source, shown.checksum)
    row = DecodedRow(
        shown.id,
        Status.DECODED,
        length=len(shown.sequence),
        mean_error=shown.deviation,
        chain_breaks=int(np.sum(~bonded)),
        refined=int(output.refine),
        source=shown.source,
        checksum=shown.checksum,
    )
    return Outcome(row)


def failure(id: str, reason: object, source: str, checksum: str = "") -> Outcome:
    """An input that gave no structure."""
    line = " ".join(str(reason).removeprefix("these bytes: ").split()) or type(reason).__name__
    return Outcome(DecodedRow(id, Status.FAILED, line, source=source, checksum=checksum))


def _suspicion(decoded: Decoded) -> str:
    if decoded.plausible:
        return ""
    return (
        f"no chain looks like this image: {decoded.residual:.3g} grey levels off, "
        f"margin of the hand {decoded.margin:.2g}"
    )


def _write(
    coords: np.ndarray,
    bonded: np.ndarray,
    error: np.ndarray | None,
    shown: ChainImage | ChainCoords,
    output: Output,
) -> None:
    """The structure last: where it is, all is."""
    if output.torsions:
        write_whole(output.torsion_table(shown.id), _torsion_lines(coords, bonded))
    backbone = Backbone(coords, shown.sequence, shown.id, shown.chain)
    write_structure(output.structure(shown.id), backbone, error)


def _torsion_lines(coords: np.ndarray, bonded: np.ndarray) -> bytes:
    """phi, psi and omega in degrees; empty at the ends and at chain breaks."""
    torsions = np.degrees(backbone_torsions(coords))
    torsions[:-1][~bonded, 1:] = np.nan
    torsions[1:][~bonded, 0] = np.nan
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["residue", "phi", "psi", "omega"])
    for residue, angles in enumerate(torsions.tolist(), start=1):
        rows.writerow([residue, *("" if angle != angle else f"{angle:.2f}" for angle in angles)])
    return text.getvalue().encode()
