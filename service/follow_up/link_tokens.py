"""The door to itsdangerous: the addresses of clients' pages are signed with a key that lies beside the identity key.

An address is made of a link's row and the key alone, so that it can be shown again; neither the database nor a backup of it
gives one away. Whoever deletes the key file ends every address at once: with the next one shown, a new key is made.
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

LONGEST: Final = timedelta(days=366)
"""No address opens anything for longer, whatever the database says."""
_SHAPE: Final = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{6})\.[A-Za-z0-9_-]{43}", re.ASCII)
"""Handle, moment, signature."""
_STRANGE: Final = ("A" * 22, "A" * 6)
"""In place of what is no token at all: it takes the same way, and is refused."""
_SALT: Final = b"restbeat client link"


class LinkKeys:
    """Makes and checks tokens with the keys of a file, one a line: the first signs, each is valid.

    It reads and writes files: for the storage thread, never for the event loop.
    """

    def __init__(self, identity_key: Path) -> None:
        self.path = identity_key.with_suffix(".links.key")

    def token(self, handle: str, made: datetime) -> str:
        """The token of a link; where there is no key yet, one is made. Raises `CipherError`."""
        if not self.path.exists():
            make_key_file(self.path, secrets.token_urlsafe(32).encode(), "links")
        return _signed(self._keys()[0], handle, int(made.timestamp())).decode()

    def handle_of(self, token: str, now: datetime) -> str | None:
        """The handle that a token carries; None where none of our keys signed it, or too long ago. Each takes the same time.

        It is ours if signing its handle at its moment makes the very same token.
        """
        keys = self._keys() if self.path.exists() else [secrets.token_bytes(32)]
        shaped = _SHAPE.fullmatch(token)
        handle, moment = shaped.groups() if shaped else _STRANGE
        made_s = bytes_to_int(base64_decode(moment))
        ours = [compare_digest(_signed(key, handle, made_s), token.encode(errors="replace")) for key in keys]
        fresh = 0 <= now.timestamp() - made_s <= LONGEST.total_seconds()
        return handle if any(ours) and fresh else None

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
