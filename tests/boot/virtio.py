# SPDX-License-Identifier: MIT
"""The world around a guest with a network card: a server that it reaches, a client that reaches it, and what it is
given to set its devices up."""
import contextlib
import http.server
import pathlib
import socket
import threading
import time

# In the order of their dependencies: insmod loads no other module by itself.
MODULES = ["virtio", "virtio_ring", "virtio_pci_modern_dev", "virtio_pci_legacy_dev", "virtio_pci", "virtio-rng",
           "virtio_blk", "failover", "net_failover", "virtio_net"]

LEASE = """#!/bin/sh
# What busybox's udhcpc calls.
[ "$1" = bound ] || exit 0
ip addr add "$ip/${mask:-24}" dev "$interface"
ip route add default via "$router"
echo "LEASE ip=$ip router=$router dns=$dns"
"""

DEVICES = f"""#!/bin/sh
for m in {' '.join(MODULES)}; do insmod /lib/modules/$m.ko || exit 1; done
ip link set eth0 up
udhcpc -i eth0 -s /bin/lease -n -q
"""


def write_tree(root, modules):
    """What is laid over the guest's root: the modules, and the scripts /bin/devices and /bin/lease."""
    root = pathlib.Path(root)
    (root / "lib" / "modules").mkdir(parents=True, exist_ok=True)
    (root / "bin").mkdir(exist_ok=True)
    for module in modules:
        (root / "lib" / "modules" / module.name).write_bytes(module.read_bytes())
    for name, text in (("lease", LEASE), ("devices", DEVICES)):
        (root / "bin" / name).write_text(text)
        (root / "bin" / name).chmod(0o755)


@contextlib.contextmanager
def serving(content):
    """A web server on the host's loopback that answers everything with content. Gives its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Client(threading.Thread):
    """Connects to a port of the host until something comes through it: nothing does while the guest does not listen."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.received, self.stop = port, b"", threading.Event()

    def run(self):
        while not self.received and not self.stop.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as s:
                while part := s.recv(65536):
                    self.received += part
            time.sleep(0.3)
