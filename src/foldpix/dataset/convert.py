"""One structure file to PNG and FASTA."""

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from foldpix.dataset.bins import LengthError, bin_name
from foldpix.dataset.durable import sync
from foldpix.dataset.manifest import ManifestRow, Status
from foldpix.dataset.sources import Source, key_of
from foldpix.image import Picture, picture_of, png_bytes, read_png
from foldpix.structure import Backbone, StructureError, count_chains, read_structure

#: Folder under the data set's root for files that are being written.
SCRATCH = ".tmp"
#: File systems allow 255 bytes a name; a suffix and the shards' suffixes need some of them.
MAX_KEY_BYTES = 240


@dataclass(frozen=True)
class ConvertOptions:
    """How to convert.

    Parameters
    ----------
    out : Path
        Root of the data set.
    chains : "skip" or "split"
        Skip files with several chains, or take each.
    models : "skip" or "first"
        Skip files with several models, or take the first.
    d_max : float
        Angstrom.
    durable : bool
        Return only when the files are on the disk and read back equal.
    """

    out: Path
    chains: Literal["skip", "split"] = "skip"
    models: Literal["skip", "first"] = "skip"
    d_max: float = 80.0
    durable: bool = False


class Conversion(NamedTuple):
    """What became of one source.

    Its rows (split still open), how many PNGs are new, and, under ``durable``, whether the file holds chains
    or models beside those of the rows.
    """

    rows: list[ManifestRow]
    num_new: int = 0
    has_more: bool = False


class Skipped(ValueError):
    """Nothing is wrong with the chain, but it is none for this data set."""


class OutputError(OSError):
    """The data set cannot be written: no matter of the one input, the whole job has to stop."""


def convert_source(source: Source, options: ConvertOptions) -> Conversion:
    """Convert a file.

    Whatever is wrong with it ends in its rows.

    Raises
    ------
    OutputError
        If PNG or FASTA cannot be written.
    """
    try:
        if source.refusal:
            raise ValueError(source.refusal)
        backbones = _usable_chains(source.path, options)
    except Exception as error:
        return Conversion([_rejected(error, source.path)])
    results = [_convert_chain(backbone, source.path, options) for backbone in backbones]
    has_more = options.durable and _has_more(source.path, len(results))
    return Conversion([row for row, _ in results], sum(is_new for _, is_new in results), has_more)


def _usable_chains(path: str, options: ConvertOptions) -> list[Backbone]:
    if not stat.S_ISREG(Path(path).stat().st_mode):
        raise ValueError("not a regular file")
    backbones = read_structure(path, "first" if options.models == "first" else "all")
    num_models = len({backbone.model for backbone in backbones})
    if num_models > 1:
        raise Skipped(f"{num_models} models; models=first takes the first")
    if len(backbones) > 1 and options.chains == "skip":
        raise Skipped(f"{len(backbones)} chains; chains=split takes each")
    return backbones


def _has_more(path: str, num_chains: int) -> bool:
    try:
        return count_chains(path) > num_chains
    except (OSError, StructureError):  # where read_structure did not look
        return True


def _convert_chain(backbone: Backbone, path: str, options: ConvertOptions) -> tuple[ManifestRow, bool]:
    """The chain's row, and whether its PNG is new."""
    key = key_of(path, backbone.chain if options.chains == "split" else "")
    try:
        folder = bin_name(len(backbone))
        _check_frames(backbone.coords)
        picture = picture_of(backbone, options.d_max)
        is_new = _store(picture, key, folder, options)
    except OutputError:
        raise
    except Exception as error:
        return _rejected(error, path, key, backbone), False
    checksum = hashlib.md5(picture.pixels.data).hexdigest()
    row = ManifestRow(
        Status.CONVERTED,
        "",
        key,
        backbone.chain,
        len(backbone),
        folder,
        source=path,
        checksum=checksum,
        dropped=backbone.num_dropped,
    )
    return row, is_new


def _rejected(error: Exception, path: str, key: str = "", backbone: Backbone | None = None) -> ManifestRow:
    status = Status.SKIPPED if isinstance(error, LengthError | Skipped) else Status.FAILED
    chain, length = (backbone.chain, len(backbone)) if backbone else ("", 0)
    return ManifestRow(status, _one_line(error), key or key_of(path), chain, length, source=path)


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot read: {error.strerror}"
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())


def _check_frames(coords: np.ndarray) -> None:
    """Every residue needs a frame (N, CA and C apart and not on a line) and a place of its own."""
    to_n, to_c, step = coords[:, 0] - coords[:, 1], coords[:, 2] - coords[:, 1], np.diff(coords[:, 1], axis=0)
    n_ca, c_ca, ca_ca = (np.linalg.norm(bond, axis=-1) for bond in (to_n, to_c, step))
    bent = np.linalg.norm(np.cross(to_n, to_c), axis=-1) > 0.01 * n_ca * c_ca
    wrong = np.flatnonzero(~((n_ca > 0.1) & (c_ca > 0.1) & bent))
    if len(wrong):
        where = f"in {len(wrong)} residues, first in number {wrong[0] + 1}"
        raise ValueError(f"degenerate backbone: N, CA and C coincide or lie on a line {where}")
    if not (ca_ca > 0.1).all():
        raise ValueError(f"degenerate backbone: CA {np.argmin(ca_ca) + 1} and the next lie on one another")


def _store(picture: Picture, key: str, folder: str, options: ConvertOptions) -> bool:
    """Put FASTA and PNG in place; False if the same picture is there already.

    The FASTA comes first, as its path does not depend on the length: so it tells any other chain of this id.
    """
    if len(os.fsencode(key)) > MAX_KEY_BYTES:
        raise ValueError(f"the id is longer than {MAX_KEY_BYTES} bytes; rename the file")
    fasta, png = options.out / "fasta" / f"{key}.fasta", options.out / folder / f"{key}.png"
    sequence, image = f">{key}\n{picture.sequence}\n".encode(), png_bytes(picture)
    try:
        fasta_is_new = _put(fasta, sequence)
        if not fasta_is_new and fasta.read_bytes() != sequence:
            raise ValueError(f"duplicate id {key}, {fasta} holds another sequence")
        png_is_new = _put(png, image)
        if not png_is_new and not _holds(png, picture):
            if fasta_is_new:
                fasta.unlink()
            raise ValueError(f"duplicate id {key}, {png} holds another chain")
        if options.durable:
            sync(png, fasta, png.parent, fasta.parent, options.out)
            if fasta.read_bytes() != sequence or not _holds(png, picture):
                raise OSError(errno.EIO, "it does not read back equal", str(png))
    except OSError as error:
        raise OutputError(error.errno, error.strerror, error.filename) from error
    return png_is_new


def _put(target: Path, data: bytes) -> bool:
    """Write a whole file or none; False if the target exists."""
    temporary = target.parents[1] / SCRATCH / f"{os.getpid()}"
    target.parent.mkdir(exist_ok=True)
    try:
        temporary.write_bytes(data)
        target.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _holds(png: Path, picture: Picture) -> bool:
    """Whether the file is this picture, however it was compressed."""
    try:
        found = read_png(png)
    except ValueError:
        return False
    return np.array_equal(found.pixels, picture.pixels) and all(
        getattr(found, name) == getattr(picture, name) for name in ("name", "chain", "sequence", "d_max")
    )
