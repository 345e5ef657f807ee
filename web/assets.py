"""Static files, read once; their address holds a hash of all of them, so that a browser may keep them for ever."""

from base64 import b64encode
import gzip
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

STATIC: Final = Path(__file__).parent / "static"
VENDOR: Final = Path(__file__).parent / "vendor"
"""What `hatch_build.py` brings from npm; may be missing."""
_TYPES: Final = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class Assets:
    """The files of some folders. Modules import each other by relative paths, and so stay within one hash."""

    def __init__(self, *folders: Path) -> None:
        """A folder that is not there holds nothing: what comes from npm may be missing."""
        paths = sorted(path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.suffix in _TYPES)
        self._files = {path.name: path.read_bytes() for path in paths}
        self._packed = {name: gzip.compress(content, mtime=0) for name, content in self._files.items()}
        digest = sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + content + b"\0")
        self._hash = digest.hexdigest()[:12]

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def address(self, name: str) -> str:
        """Where a browser finds a file. Raises `KeyError` where there is none."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._hash}/{name}"

    def inline(self, name: str) -> str:
        """A `data:` address that holds the file itself, for a page that stands alone. Raises `KeyError` where there is none."""
        content = b64encode(self._files[name]).decode()
        return f"data:{_TYPES[Path(name).suffix]};base64,{content}"

    def content(self, name: str) -> bytes:
        """A file itself. Raises `KeyError` where there is none."""
        return self._files[name]

    async def handle(self, request: web.Request) -> web.Response:
        """Serve `/static/{hash}/{name}`."""
        name = request.match_info["name"]
        if request.match_info["hash"] != self._hash or name not in self._files:
            raise web.HTTPNotFound
        kind = _TYPES[Path(name).suffix]
        charset = None if kind.startswith("image") else "utf-8"
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self._files[name], content_type=kind, charset=charset, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=self._packed[name], content_type=kind, charset=charset, headers=headers)
