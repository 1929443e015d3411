"""The servers that are compared, and how to install those that are not there.

Rule: all of them listen on loopback on a port of their own, run in the foreground as a child of the bench, and end with
it; nothing is started as a service of the machine.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.load import BIN, HERE, Target, baseline, hub_alone, python

MODULES = (Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules"), Path("/usr/libexec/nginx"))
GO_SOURCES = Path("/usr/share/gocode")  # where Debian keeps the sources of Go packages
GORILLA = HERE / "peers" / "gorilla" / "main.go"

NGINX = """\
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
load_module {module};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
{user}
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /pub {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 1000; }}
    location = /ws {{ nchan_subscriber websocket; nchan_channel_id bench; nchan_subscriber_first_message newest; }}
    location = /healthz {{ return 200 "ok"; }}
  }}
}}
"""


class Missing(msgspec.Struct, frozen=True):
    """A peer that is not compared, and what would have to be installed."""

    name: str
    packages: tuple[str, ...]

    def said(self) -> str:
        """Return the sentence for whoever runs the bench."""
        return f"SKIPPED {self.name}: it is not installed. On Debian: apt-get install {' '.join(self.packages)}"


def limit() -> Target:
    """Return what every figure is a ratio of."""
    return baseline()


def push_layer() -> Target:
    """Return the product's push layer alone, which does what the peers do: take a text, send it to everybody."""
    return msgspec.structs.replace(hub_alone(), name="fanlight, push layer")


def nchan(folder: Path) -> Target | Missing:
    """Return nginx with nchan; its files lie in `folder`."""
    here, module = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin"), _module()
    if here is None or module is None:
        return Missing("nchan", ("nginx", "libnginx-mod-nchan"))
    return Target(name="nchan", argv=python("bench.peers.servers", here, str(module), str(folder), "{port}"))


def _module() -> Path | None:
    return next((at / "ngx_nchan_module.so" for at in MODULES if (at / "ngx_nchan_module.so").exists()), None)


def gorilla() -> Target | Missing:
    """Return the server on gorilla/websocket, built from the packages of Debian without a network."""
    go, library = shutil.which("go"), GO_SOURCES / "src" / "github.com" / "gorilla" / "websocket"
    if go is None or not library.is_dir():
        return Missing("gorilla", ("golang-go", "golang-github-gorilla-websocket-dev"))
    return Target(name="gorilla", argv=(_built(go), "{port}"))


def _built(go: str) -> str:
    binary = BIN / "gorilla"
    if not binary.exists() or binary.stat().st_mtime < GORILLA.stat().st_mtime:
        BIN.mkdir(exist_ok=True)
        offline = {"GO111MODULE": "off", "GOPATH": str(GO_SOURCES), "GOCACHE": str(BIN / "go"), "GOPROXY": "off"}
        subprocess.run([go, "build", "-o", str(binary), str(GORILLA)], check=True, env={**os.environ, **offline})
    return str(binary)


def _nginx(here: str, module: str, folder: str, port: str) -> None:
    """Become nginx, with a configuration of our own."""
    descriptors = os.sysconf("SC_OPEN_MAX")
    place = {"folder": folder, "module": module, "port": port, "descriptors": descriptors}
    # started by root its worker would be of a user that may not write into the folder
    place |= {"user": "user root;" if os.geteuid() == 0 else "", "connections": descriptors - 500}
    configuration = Path(folder) / "nginx.conf"
    configuration.write_text(NGINX.format(**place))
    os.execv(here, ["nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", str(configuration)])


if __name__ == "__main__":
    _nginx(*sys.argv[1:5])
