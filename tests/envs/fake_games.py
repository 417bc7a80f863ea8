"""Folders that look like StarCraft II's, with programs in them that go wrong in one way each."""

import sys
from pathlib import Path

from s2clientprotocol import sc2api_pb2 as sc_pb

PROGRAM = "SC2_x64" if sys.platform == "linux" else "SC2.app/Contents/MacOS/SC2"
PING = sc_pb.Request(ping=sc_pb.RequestPing()).SerializeToString()
OBSERVE = sc_pb.Request(observation=sc_pb.RequestObservation()).SerializeToString()

_PRELUDE = f"""#!{sys.executable}
import os, socket, sys, time
from pathlib import Path
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
port = int(options["-port"])
"""

_SPEAKING = (
    _PRELUDE
    + """
from websockets.sync.server import serve
from s2clientprotocol import sc2api_pb2 as sc_pb
ping = sc_pb.ResponsePing(game_version=str(os.getpid()))
PONG = sc_pb.Response(ping=ping, status=sc_pb.launched).SerializeToString()
def converse(connection):
    raw = connection.socket
    for message in connection:
        if sc_pb.Request.FromString(message).WhichOneof("request") == "ping":
            connection.send(PONG)
        else:
            misbehave(connection, raw)
"""
)
_SERVE = """
with serve(converse, "127.0.0.1", port, compression=None) as server:
    server.serve_forever()
"""


def folder_with(folder: Path, program: str, *, base_build: int = 75689, mode: int = 0o755) -> Path:
    """Write a folder for SC2PATH that has this program for a game."""
    path = program_in(folder, base_build)
    path.parent.mkdir(parents=True)
    path.write_text(program, encoding="utf-8")
    path.chmod(mode)
    return folder


def program_in(folder: Path, base_build: int = 75689) -> Path:
    """Return where the program of a folder is."""
    return folder / "Versions" / f"Base{base_build}" / PROGRAM


def shell(script: str) -> str:
    """Return a program in the shell's language."""
    return f"#!/bin/sh\n{script}\n"


def python(script: str) -> str:
    """Return a program that knows ``port`` and its other ``options``."""
    return _PRELUDE + script


def speaking(misbehaviour: str) -> str:
    """Return a program that answers pings, with its number for a version, and then misbehaves.

    Args:
        misbehaviour: what it does instead of any other answer, on ``connection`` or ``raw``.
    """
    body = "\n".join(f"    {line}" for line in misbehaviour.splitlines())
    return f"{_SPEAKING}\ndef misbehave(connection, raw):\n{body}\n{_SERVE}"


def ping_version(answer: bytes) -> str:
    """Return the version that an answer to a ping tells."""
    return sc_pb.Response.FromString(answer).ping.game_version
