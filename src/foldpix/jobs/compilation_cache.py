"""Functions that JAX has compiled are kept for later commands."""

import hashlib
import os
from pathlib import Path

import jax
from llvmlite import binding

# JAX keeps what took a second to compile; searches are of many functions that take less.
_LEAST_SECONDS = 0.1


def keep_compiled() -> None:
    """Have JAX keep them in the user's cache folder, by kind of processor.

    ``JAX_COMPILATION_CACHE_DIR`` names another folder, ``JAX_ENABLE_COMPILATION_CACHE=false`` does without.
    """
    if jax.config.jax_compilation_cache_dir is None:  # type: ignore[attr-defined]  # not in the stubs
        jax.config.update(
            "jax_compilation_cache_dir", str(_cache_folder() / "foldpix" / "jax" / _processor())
        )
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)


def _cache_folder() -> Path:
    """As the XDG Base Directory Specification says; a relative path there does not count."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return given if given.is_absolute() else Path.home() / ".cache"


def _processor() -> str:
    """Code for one processor may be none for another that shares the folder."""
    features = binding.get_host_cpu_features().flatten()
    return f"{binding.get_host_cpu_name()}-{hashlib.sha256(features.encode()).hexdigest()[:8]}"
