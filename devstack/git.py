"""A git host on the loopback interface: smart HTTP in front of the git program, repositories in one folder."""

import asyncio
import gzip
import hashlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from devstack.callers import Application, programs_only
from discord_agent.domain.errors import AgentError
from discord_agent.settings import environment

_SERVICES: Final = ("git-upload-pack", "git-receive-pack")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MAX_BODY_BYTES: Final = 512 * 1024 * 1024
_START_SECONDS: Final = 10.0
_IDENTITY: Final = ("-c", "user.name=Discord Agent", "-c", "user.email=agent@localhost")


class GitFailed(AgentError):
    """A git command failed; ``str()`` says which and why."""


class GitServer:
    """Serves the bare repositories in ``folder`` (None: a temporary one) at ``url``; a port of 0 takes a free one."""

    def __init__(self, folder: Path | None = None, port: int = 0) -> None:
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        self._folder = Path(self._temporary.name) if self._temporary else Path(folder or "")
        self._port = port
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address below which the repositories lie."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def folder(self) -> Path:
        """Where the repositories lie."""
        return self._folder

    def application(self) -> Application:
        """The web application that is served."""
        return programs_only(build_app(self._folder))

    def start(self) -> None:
        """Start to serve; returns once connections are accepted."""
        self._folder.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server(("127.0.0.1", self._port))
        # asyncio does this only for sockets it made itself; without it many an answer takes 40 ms longer.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(self.application(), log_level="warning", lifespan="off", access_log=False)
        self._server = uvicorn.Server(config)
        # The socket listens already: requests wait in its queue until the server takes them.
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="git-server", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop to serve."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_START_SECONDS)
            self._server = self._thread = None
        if self._temporary is not None:
            self._temporary.cleanup()

    def import_folder(self, source: Path) -> str:
        """Copy a folder into a repository of its own, unless that was done before; the repository's address.

        A git repository is cloned with all its branches, and the branch it is on becomes the default branch,
        whatever its name; changes that are not committed stay behind. Any other folder becomes one commit on
        main. The folder itself is never written. GitFailed if git cannot read it.
        """
        source = source.resolve()
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.name).strip("-.")[:60] or "repository"
        # Folders of the same name in different places are different repositories.
        place = hashlib.sha256(str(source).encode()).hexdigest()[:6]
        target = self._folder / f"{name}-{place}.git"
        if not target.exists():
            # Made beside it and moved: a copy that was cut short is not taken for a whole one.
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".import-") as folder:
                _copy(source, Path(folder) / "copy")
                (Path(folder) / "copy").rename(target)
        return f"{self.url}/{target.name}"


def build_app(folder: Path) -> Starlette:
    """Git's smart HTTP protocol over the repositories in ``folder``."""

    async def advertise(request: Request) -> Response:
        repository, service = _repository(folder, request), request.query_params.get("service", "")
        if repository is None or service not in _SERVICES:
            return PlainTextResponse("no such repository", 404)
        process = await _service(service, request, "--http-backend-info-refs", str(repository))
        refs, _ = await process.communicate()
        if process.returncode:
            return PlainTextResponse("the repository cannot be read", 500)
        banner = f"# service={service}\n"
        # Protocol version 2 comes without the banner's line in git itself too, but every client accepts it.
        body = f"{len(banner) + 4:04x}{banner}0000".encode() + refs
        return Response(body, media_type=f"application/x-{service}-advertisement", headers=_NO_CACHE)

    async def call(request: Request) -> Response:
        repository, service = _repository(folder, request), request.path_params["service"]
        if repository is None or service not in _SERVICES:
            return PlainTextResponse("no such repository", 404)
        body = await _body(request)
        if body is None:
            return PlainTextResponse("the request is too large", 413)
        process = await _service(service, request, "--stateless-rpc", str(repository))
        return StreamingResponse(
            _exchange(process, body), media_type=f"application/x-{service}-result", headers=_NO_CACHE
        )

    return Starlette(
        routes=[
            Route("/{repository}/info/refs", advertise, methods=["GET"]),
            Route("/{repository}/{service}", call, methods=["POST"]),
        ]
    )


_NO_CACHE: Final = {"Cache-Control": "no-cache"}


def _repository(folder: Path, request: Request) -> Path | None:
    name = request.path_params["repository"]
    path = folder / name
    return path if _NAME.fullmatch(name) and path.is_dir() else None


async def _service(service: str, request: Request, *arguments: str) -> asyncio.subprocess.Process:
    protocol = request.headers.get("git-protocol", "")
    variables = _environment()
    if re.fullmatch(r"version=[0-2]", protocol):
        variables["GIT_PROTOCOL"] = protocol
    return await asyncio.create_subprocess_exec(
        "git",
        # What git's own server asks for too before anybody may push over HTTP.
        *("-c", "http.receivepack=true"),
        service.removeprefix("git-"),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=variables,
    )


async def _exchange(process: asyncio.subprocess.Process, body: bytes) -> AsyncIterator[bytes]:
    if process.stdin is None or process.stdout is None:
        raise GitFailed("git was started without its pipes")
    stdin = process.stdin

    async def feed() -> None:
        stdin.write(body)
        await stdin.drain()
        stdin.close()

    feeding = asyncio.create_task(feed())
    try:
        while chunk := await process.stdout.read(64 * 1024):
            yield chunk
    finally:
        feeding.cancel()
        if process.returncode is None:
            await process.wait()


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            return None
    return gzip.decompress(body) if request.headers.get("content-encoding") == "gzip" else bytes(body)


def _copy(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise GitFailed(f"there is no folder {source}: name one that is there")
    if (source / ".git").exists() or _is_bare(source):
        _git("clone", "--quiet", "--bare", "--template=", f"file://{source}", str(target))
        return
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(source, work, symlinks=True, dirs_exist_ok=True)
        _git("init", "--quiet", "--initial-branch=main", "--template=", work)
        _git("-C", work, "add", "--all")
        _git("-C", work, *_IDENTITY, "commit", "--quiet", "--allow-empty", "--message=Import the folder")
        _git("clone", "--quiet", "--bare", "--template=", f"file://{work}", str(target))


def _is_bare(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _git(*arguments: str) -> None:
    done = subprocess.run(
        ["git", "-c", "safe.directory=*", *arguments], capture_output=True, text=True, env=_environment(), check=False
    )
    if done.returncode:
        raise GitFailed(f"git {' '.join(arguments[:2])}: {done.stderr.strip()[-300:]}")


def _environment() -> dict[str, str]:
    """No settings of the person or the machine: every run of the stack behaves alike."""
    return {
        "PATH": environment().get("PATH", os.defpath),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LANG": "C.UTF-8",
    }
