"""From a composed Hydra config to a typed one, and from an exception to one line."""

import dataclasses
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar, cast

from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

Schema = TypeVar("Schema")

_ONE_LINE = "FOLDPIX_ONE_LINE_ERRORS"
#: Lines of Hydra's messages: ``+key=value`` would not help here, as unknown keys are errors.
_HYDRA_ADVICE = (
    "To append",
    "full_key:",
    "object_type=",
    "reference_type=",
    "Config search path",
    "provider=",
)


def typed(cfg: DictConfig, schema: type[Schema]) -> Schema:
    """The composed config as an instance of its dataclass.

    Raises
    ------
    ValueError
        If a key is unknown (Hydra lets ``+key=value`` through) or a value is missing or of the wrong type.
    """
    unknown = sorted(_unknown_keys(cfg, ""))
    if unknown:
        raise ValueError(f"unknown config key {', '.join(unknown)}; `--cfg job` prints the keys that exist")
    try:
        merged = OmegaConf.merge(OmegaConf.structured(schema), cfg)
        if missing := sorted(OmegaConf.missing_keys(merged)):
            raise ValueError(f"missing value: {', '.join(f'{key}=...' for key in missing)}")
        return cast(Schema, OmegaConf.to_object(merged))
    except OmegaConfBaseException as error:
        raise ValueError(str(error).splitlines()[0]) from error


def launch(main: Callable[[], None]) -> None:
    """Run a script's ``main``: what fails before its job begins is one line and exit code 2 too."""
    if not _wants_tracebacks():
        # Hydra hands errors on instead of printing them in its own way.
        os.environ.update({"HYDRA_FULL_ERROR": "1", _ONE_LINE: "1"})
    try:
        main()
    except (HydraException, OmegaConfBaseException, ValueError, OSError) as error:
        if _wants_tracebacks():
            raise
        _fail(error)


def run_job(job: Callable[[Schema], Any], cfg: DictConfig, schema: type[Schema]) -> None:
    """Run ``job``; a user's error is one line on stderr and exit code 2 (HYDRA_FULL_ERROR=1 shows it all)."""
    try:
        job(typed(cfg, schema))
    except (ValueError, OSError) as error:
        if _wants_tracebacks():
            raise
        _fail(error)


def _wants_tracebacks() -> bool:
    return bool(os.environ.get("HYDRA_FULL_ERROR")) and _ONE_LINE not in os.environ


def _fail(error: Exception) -> NoReturn:
    print(f"error: {_reason(error)}", file=sys.stderr)
    sys.exit(2)


def _reason(error: Exception) -> str:
    """One line; an error that a data worker raised carries its traceback, whose last line says it all."""
    cause = error.__cause__ if isinstance(error.__cause__, OmegaConfBaseException) else ""
    lines = [line for line in f"{error}\n{cause}".splitlines() if not line.strip().startswith(_HYDRA_ADVICE)]
    if "Traceback (most recent call last):" in map(str.strip, lines):
        return next(line for line in reversed(lines) if line.strip())
    return " ".join(" ".join(lines).split())


def _unknown_keys(node: DictConfig, prefix: str) -> Iterator[str]:
    kind = OmegaConf.get_type(node)
    fields = {field.name for field in dataclasses.fields(kind)} if dataclasses.is_dataclass(kind) else None
    for key in map(str, node):
        if fields is not None and key not in fields:
            yield f"{prefix}{key}"
        elif isinstance(child := node._get_node(key), DictConfig) and not child._is_none():
            yield from _unknown_keys(child, f"{prefix}{key}.")
