"""Style sheets, scripts and images of the pages, read once."""

from base64 import b64encode
from pathlib import Path
from typing import Final

MEDIA_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}


class PageFiles:
    """The files of some folders, named by their path within the folder."""

    def __init__(self, *folders: Path) -> None:
        """Read all files. A folder that does not exist counts as empty, as files from npm may be missing."""
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES
        }

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def content(self, name: str) -> bytes:
        """Return a file's bytes. Raises `KeyError` where there is no such file."""
        return self._files[name]

    def inline(self, name: str) -> str:
        """Return a `data:` URL that holds the file, for a self-contained page. Raises `KeyError` where there is no such file."""
        content = b64encode(self._files[name]).decode()
        return f"data:{MEDIA_TYPES[Path(name).suffix]};base64,{content}"
