"""Checkpoints: written whole or not at all, read without unpickling, checked against the model they meet."""

import dataclasses
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from foldpix.model.build import Model, build_model
from foldpix.model.config import HVQVAEConfig, ModelConfig, RowsConfig, Space

# What torch.load raises on files that are cut short, changed or something else altogether.
_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, OSError, KeyError, ValueError)


#: What a checkpoint of row tokens calls its model; one that says nothing holds a hierarchical VQ-VAE.
ROWS = "rows"


class AtomicCheckpointIO(TorchCheckpointIO):
    """A run killed while it writes leaves the previous checkpoint as it was."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            with temporary.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def pack_model_config(config: ModelConfig) -> dict[str, Any]:
    """The config as plain values, which load without unpickling."""
    plain = dataclasses.asdict(config)
    if isinstance(config, HVQVAEConfig):
        return plain | {"space": str(config.space)}
    return plain | {"kind": ROWS}


def unpack_model_config(plain: dict[str, Any]) -> ModelConfig:
    """Inverse of :func:`pack_model_config`."""
    if plain.get("kind") == ROWS:
        return RowsConfig(**{key: value for key, value in plain.items() if key != "kind"})
    return HVQVAEConfig(**(plain | {"space": Space(plain["space"])}))


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """A checkpoint's contents on the CPU.

    Raises
    ------
    ValueError
        If the file is no checkpoint of a foldpix model.
    OSError
        If there is no such file.
    """
    with Path(path).open("rb") as file:
        try:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        except _UNREADABLE as error:
            reason = (str(error) or "it is empty").splitlines()[0]
            raise ValueError(f"{path}: no readable checkpoint ({reason})") from error
    if not isinstance(checkpoint, dict) or not {"model_config", "state_dict"} <= checkpoint.keys():
        raise ValueError(f"{path}: not a checkpoint of a foldpix model; train.py writes them")
    return checkpoint


def check_same_model(path: str | Path, config: ModelConfig) -> None:
    """Raise ValueError naming what differs or lacks if a run of this model cannot go on from a file."""
    checkpoint = read_checkpoint(path)
    if lacking := [key for key in ("optimizer_states", "lr_schedulers", "loops") if key not in checkpoint]:
        raise ValueError(f"{path} lacks {', '.join(lacking)}: weights alone are no run to go on with")
    saved, asked = checkpoint["model_config"], pack_model_config(config)
    differing = [key for key in {**asked, **saved} if saved.get(key) != asked.get(key)]
    if differing:
        told = ", ".join(f"{key}={saved.get(key)} (this run: {asked.get(key)})" for key in differing)
        raise ValueError(f"{path} holds another model: {told}; give the same model.* values or another ckpt")


def load_model(path: str | Path) -> Model:
    """The model of a checkpoint, on the CPU, in evaluation mode.

    Raises
    ------
    ValueError
        If the file is no checkpoint of a foldpix model, or its weights are not those of its model.
    """
    checkpoint = read_checkpoint(path)
    prefix = "model."
    state = {k.removeprefix(prefix): v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
    try:
        model = build_model(unpack_model_config(checkpoint["model_config"]))
        model.load_state_dict(state)
    except (KeyError, TypeError, RuntimeError) as error:  # keys of another version, weights of another shape
        raise ValueError(f"{path}: a model of another version: {' '.join(str(error).split())}") from error
    return model.eval()


def newest_checkpoint(folder: str | Path) -> Path:
    """The most recently written ``last.ckpt`` of the runs below a folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    found = sorted(Path(folder).glob("**/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise ValueError(
            f"ckpt=last: no checkpoints/last.ckpt below {folder}; give ckpt=PATH or start without"
        )
    return found[-1]
