# SPDX-License-Identifier: Apache-2.0
"""mosquitto with TLS 1.3 and a certificate of RSA-3072; bench-watchers and bench-events have a client for it."""

from ..server import Server, free_port

CONFIG = """
listener {port} 127.0.0.1
cafile {certificates.ca}
certfile {certificates.server_cert}
keyfile {certificates.server_key}
tls_version tlsv1.3
allow_anonymous true
max_connections -1
set_tcp_nodelay true
persistence false
log_type error
"""


class Mosquitto(Server):
    def __init__(self, directory, certificates):
        directory.mkdir(exist_ok=True)
        port = free_port()
        config = directory / "mosquitto.conf"
        config.write_text(CONFIG.format(port=port, certificates=certificates))
        super().__init__("mosquitto", ["/usr/sbin/mosquitto", "-c", config], directory, port)
        self.ca = certificates.ca
        self.address = f"127.0.0.1:{port}"
