"""Style sheets, scripts and pictures of the pages, read once."""

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
        """Read them all. A folder that does not exist holds nothing: what comes from npm may be missing."""
        self._files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for folder in folders
            for path in sorted(folder.rglob("*"))
            if path.suffix in MEDIA_TYPES
        }

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def content(self, name: str) -> bytes:
        """Give a file's bytes. Raises `KeyError` where there is none."""
        return self._files[name]

    def inline(self, name: str) -> str:
        """Give a `data:` address that holds the file, for a page that stands alone. Raises `KeyError` where there is none."""
        content = b64encode(self._files[name]).decode()
        return f"data:{MEDIA_TYPES[Path(name).suffix]};base64,{content}"
