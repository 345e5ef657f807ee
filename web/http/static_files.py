"""Static files. Their address holds a hash of all of them, so that a browser may keep them for ever."""

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Final

from aiohttp import web

from ...service.rendering.page_files import MEDIA_TYPES, PageFiles

STATIC: Final = Path(__file__).parents[1] / "static"
VENDOR: Final = Path(__file__).parents[1] / "vendor"
"""Files that `hatch_build.py` fetches from npm; the folder may be missing."""
_CACHE_FOR_EVER: Final = "public, max-age=31536000, immutable"


class StaticFiles(PageFiles):
    """The static files of several folders, and their handler.

    Scripts import each other by relative paths, and so stay under one hash.
    """

    def __init__(self, *folders: Path) -> None:
        super().__init__(*folders)
        self._gzipped = {name: gzip.compress(content, mtime=0) for name, content in self._files.items()}
        digest = sha256()
        for name, content in self._files.items():
            digest.update(name.encode() + b"\0" + content + b"\0")
        self._hash = digest.hexdigest()[:12]

    def address(self, name: str) -> str:
        """Return the path under which a browser finds a file. Raises `KeyError` where there is none."""
        if name not in self:
            raise KeyError(name)
        return f"/static/{self._hash}/{name}"

    async def handle(self, request: web.Request) -> web.Response:
        """Serve `/static/{hash}/{name}`, compressed where the browser accepts gzip."""
        name = request.match_info["name"]
        if request.match_info["hash"] != self._hash or name not in self:
            raise web.HTTPNotFound
        kind = MEDIA_TYPES[Path(name).suffix]
        charset = None if kind.startswith("image") else "utf-8"
        headers = {"Cache-Control": _CACHE_FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=self._files[name], content_type=kind, charset=charset, headers=headers)
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=self._gzipped[name], content_type=kind, charset=charset, headers=headers)
