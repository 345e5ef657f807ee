"""Signed tokens in the addresses of clients' pages; the only module that imports itsdangerous.

The key file lies beside the identity key. An address is derived from a link's row and the key, so it can be shown again, but
neither the database nor a backup of it reveals one. Deleting the key file invalidates every address at once; the next address
shown creates a new key.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
import re
import secrets
from typing import Final

from itsdangerous import TimestampSigner
from itsdangerous.encoding import base64_decode, bytes_to_int

from ..errors import CipherError
from ..storage.encryption import make_key_file

MAX_AGE: Final = timedelta(days=366)
"""Age at which every token becomes invalid, whatever the database says."""
_SHAPE: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{6})\.[A-Za-z0-9_-]{43}", re.ASCII)
"""Handle, time of creation, signature."""
_PLACEHOLDER: Final = ("A" * 22, "A" * 6)
"""Handle and time checked in place of a malformed token, so that its refusal takes as long."""
_SALT: Final = b"restbeat client link"


class LinkKeys:
    """Signer and verifier of tokens with the keys of a file, one per line: the first signs, all are accepted.

    It reads and writes files, so it belongs on the storage thread, never on the event loop.
    """

    def __init__(self, identity_key: Path) -> None:
        self.path = identity_key.with_suffix(".links.key")

    def token(self, handle: str, made: datetime) -> str:
        """Return the token of a link; where there is no key file yet, one is created.

        Raises `CipherError` where the key file cannot be read or written, or is empty.
        """
        if not self.path.exists():
            make_key_file(self.path, secrets.token_urlsafe(32).encode(), "links")
        return _signed(self._keys()[0], handle, int(made.timestamp())).decode()

    def handle_of(self, token: str, now: datetime) -> str | None:
        """Return the handle in a token; None where none of the keys signed it, or too long ago. Both take the same time.

        A token is valid if signing its handle at its time of creation gives the same token.
        Raises `SealError` where the key file cannot be read or is empty.
        """
        keys = self._keys() if self.path.exists() else [secrets.token_bytes(32)]
        match = _SHAPE.fullmatch(token)
        handle, moment = match.groups() if match else _PLACEHOLDER
        made_s = bytes_to_int(base64_decode(moment))
        valid = [compare_digest(_signed(key, handle, made_s), token.encode(errors="replace")) for key in keys]
        fresh = 0 <= now.timestamp() - made_s <= MAX_AGE.total_seconds()
        return handle if any(valid) and fresh else None

    def _keys(self) -> list[bytes]:
        try:
            keys = self.path.read_bytes().split()
        except OSError as error:
            raise CipherError(f"The key file {self.path} could not be read: {error.strerror}.") from error
        if not keys:
            raise CipherError(f"{self.path} holds no key. Put the right file back from your copy, or delete it for a new one.")
        return keys


class _Signer(TimestampSigner):
    def __init__(self, key: bytes, at_s: int) -> None:
        super().__init__(key, salt=_SALT, key_derivation="hmac", digest_method=sha256)
        self._at_s = at_s

    def get_timestamp(self) -> int:
        return self._at_s


def _signed(key: bytes, handle: str, at_s: int) -> bytes:
    return _Signer(key, at_s).sign(handle)
