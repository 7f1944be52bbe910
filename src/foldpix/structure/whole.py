"""Files that appear whole or not at all."""

import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the target, then take its place: no reader, and no killed job, leaves half a file."""
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
