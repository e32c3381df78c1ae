"""Git's own HTTP server program behind a small web server, and shorthands for the git program."""

import asyncio
import os
import subprocess
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devstack.git import GitServer
from discord_agent.settings import environment

SETTINGS = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> str:
    """What a git command prints; an error if it fails."""
    variables = {
        "PATH": environment()["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "HOME": str(folder),
    }
    done = subprocess.run(
        ["git", *SETTINGS, "-C", str(folder), *arguments], capture_output=True, text=True, env=variables, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def http_backend() -> Path | None:
    """Where git's own HTTP server program is, if it is installed."""
    executables = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    program = Path(executables) / "git-http-backend"
    return program if program.is_file() else None


class HttpBackend(GitServer):
    """The same repositories served by ``git http-backend``."""

    speaks_version_2 = True

    def application(self) -> Starlette:
        """The CGI program as a web application."""

        async def run(request: Request) -> Response:
            variables = {
                "PATH": environment()["PATH"],
                "GIT_PROJECT_ROOT": str(self.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "http.receivepack",
                "GIT_CONFIG_VALUE_0": "true",
                "PATH_INFO": request.url.path,
                "QUERY_STRING": request.url.query,
                "REQUEST_METHOD": request.method,
                "CONTENT_TYPE": request.headers.get("content-type", ""),
                "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
                "GIT_PROTOCOL": request.headers.get("git-protocol", "") if self.speaks_version_2 else "",
            }
            body = await request.body()
            process = await asyncio.create_subprocess_exec(
                *("git", "http-backend"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=variables
            )
            answer, _ = await process.communicate(body)
            head, _, content = answer.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            return Response(content, int(headers.pop("Status", "200 OK").split()[0]), headers)

        return Starlette(routes=[Route("/{path:path}", run, methods=["GET", "POST"])])


class OldHttpBackend(HttpBackend):
    """The same as a server of the older protocol, which gives only commits that a ref names."""

    speaks_version_2 = False
