"""The only module that imports cryptography: identities are stored encrypted, and the key lies outside the database."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CipherError, KeyMissingError, WrongKeyError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

_KEPT = "Sessions, figures and notes are not touched."


class IdentityCipher:
    """Cipher for identities, with the keys of a file, one a line.

    The first key encrypts, every key decrypts. The file is made when something is first encrypted.
    It reads and writes files: call it on the storage thread, never on the event loop.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def key_missing(self) -> bool:
        """Whether the key file does not exist."""
        return not self.path.exists()

    def encrypt(self, text: bytes) -> bytes:
        """Encrypt `text`; a key is made where there is none yet.

        Raises `CipherError` where the key file cannot be made or read, `WrongKeyError` where it holds no key.
        """
        if self.key_missing:
            self._make_key()
        return self._keys().encrypt(text)

    def decrypt(self, encrypted: bytes) -> bytes:
        """Decrypt what `encrypt` returned.

        Raises `KeyMissingError` where there is no key file, `WrongKeyError` where another key is needed or the file holds
        none, `CipherError` where the file cannot be read.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._keys().decrypt(encrypted)
        except InvalidToken as error:
            sentence = (
                f"Another key than that in {self.path} sealed this. Put the old key back, as a line of its own below the present "
                f"one, or enter the identity anew. {_KEPT}"
            )
            raise WrongKeyError(sentence) from error

    def _keys(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        try:
            lines = self.path.read_text("ascii").split()
            return MultiFernet([Fernet(line) for line in lines])
        except FileNotFoundError as error:
            raise KeyMissingError(
                f"The key that opens names and addresses is not at {self.path}. Put it back from your copy. {_KEPT}"
            ) from error
        except OSError as error:
            raise CipherError(f"The key file {self.path} could not be read: {error.strerror}. {_KEPT}") from error
        except ValueError as error:
            raise WrongKeyError(f"{self.path} holds no key. Put the right file back from your copy. {_KEPT}") from error

    def _make_key(self) -> None:
        from cryptography.fernet import Fernet

        make_key_file(self.path, Fernet.generate_key(), "names and addresses")


def make_key_file(path: Path, key: bytes, purpose: str) -> None:
    """Write a key to a new file that only its owner can read.

    `purpose` completes "A key for …" in the error. Raises `CipherError` where the file exists or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key + b"\n")
    except OSError as error:
        raise CipherError(
            f"A key for {purpose} could not be made at {path}: {error.strerror}. Nothing was stored; "
            "choose another place with --key-file."
        ) from error


def key_file_of(named: Path | None, data: Path | None) -> Path:
    """Return the path of the key file: `named`, else beside the data folder `data`, else in the user's configuration."""
    if named is not None:
        return named
    if data is not None:
        folder = data.resolve()
        return folder.with_name(f"{folder.name}.key")
    from platformdirs import user_config_path

    return user_config_path("restbeat", appauthor=False) / "identity.key"
