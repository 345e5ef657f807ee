"""Bytes of text files as text, and packed files as what is in them."""

import gzip
import io
from pathlib import PurePath
from typing import IO, Final
import zipfile
import zlib

from ...sensors.device_text import clean_text
from ...sensors.errors import RecordingError

LARGEST: Final = 512 * 1024 * 1024
"""Most bytes that a file may hold, packed or unpacked."""
_SAMPLE: Final = 4096
_PIECE: Final = 1 << 20


def decode_text(raw: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 by its mark or its zeros, else Latin-1 as of old programs."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    head = raw[:_SAMPLE]
    if len(head) >= 8 and head[1::2].count(0) > 0.4 * len(head[1::2]):
        return raw.decode("utf-16-le", errors="replace")
    if len(head) >= 8 and head[0::2].count(0) > 0.4 * len(head[0::2]):
        return raw.decode("utf-16-be", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def unpacked(name: str, raw: bytes) -> tuple[str, bytes]:
    """Return name and bytes of what a packed file holds, or those of the file itself where it is not packed.

    Raises `RecordingError` where it cannot be unpacked, holds several files, or grows beyond `LARGEST`.
    """
    if raw.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(raw)) as stream:
                return name.removesuffix(".gz"), _bounded(name, stream)
        except (OSError, EOFError, zlib.error) as error:
            raise RecordingError(f"{name} cannot be unpacked: {error}.") from error
    if raw.startswith(b"PK\x03\x04"):
        return _from_zip(name, raw)
    return name, raw


def _from_zip(name: str, raw: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX/")]
            if len(files) != 1:
                shown = ", ".join(filter(None, (clean_text(PurePath(one.filename).name) for one in files[:5])))
                raise RecordingError(
                    f"{name} holds {len(files)} files ({shown}): unpack it, and take the one with the heartbeats."
                )
            with archive.open(files[0]) as stream:
                return PurePath(files[0].filename).name, _bounded(name, stream)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise RecordingError(f"{name} cannot be unpacked: {error}.") from error


def _bounded(name: str, stream: IO[bytes] | gzip.GzipFile) -> bytes:
    out = bytearray()
    while piece := stream.read(_PIECE):
        out += piece
        if len(out) > LARGEST:
            raise RecordingError(
                f"{name} grows beyond {LARGEST >> 20} MiB when it is unpacked: that is no session of heartbeats."
            )
    return bytes(out)
