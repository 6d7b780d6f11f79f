# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL in a cluster of its own, everything durable; pgbench as its client."""

from pathlib import Path

from ..server import Server, free_port
from .sat import quiet

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_connections": "64",
    "autovacuum": "off",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}


def programs():
    """Debian keeps those of each version apart; the newest."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise RuntimeError("PostgreSQL is not installed")
    return found[-1]


class Postgres(Server):
    def __init__(self, directory):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.programs = programs()
        data = directory / "cluster"
        quiet([self.programs / "initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--no-locale"])
        port = free_port()
        argv = [self.programs / "postgres", "-D", data, "-k", directory, "-p", port]
        for name, value in SETTINGS.items():
            argv += ["-c", f"{name}={value}"]
        super().__init__("postgres", argv, directory, port)
        self.wait_for(lambda: "ready to accept connections" in self.log.read_text())

    def sql(self, *texts):
        """Each in a transaction of its own, unless it has several statements."""
        commands = [word for text in texts for word in ("-c", text)]
        return quiet([self.programs / "psql", "-h", "127.0.0.1", "-p", self.port, "-U", "bench", "-d", "postgres", "-q",
                      "-v", "ON_ERROR_STOP=1", *commands])  # fmt: skip

    def pgbench(self, script, *words):
        """Of a file with one transaction's statements."""
        return [self.programs / "pgbench", "-h", "127.0.0.1", "-p", self.port, "-U", "bench", "-n", "-M", "prepared", "-f",
                script, *words, "postgres"]  # fmt: skip
