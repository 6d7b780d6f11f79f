# SPDX-License-Identifier: Apache-2.0
"""nginx with TLS 1.3, RSA-3072 and client certificates, files taken by PUT and given by GET; curl as its client."""

from ..server import Server, free_port

CONFIG = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {files}/incoming;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {certificates.server_cert};
        ssl_certificate_key {certificates.server_key};
        ssl_client_certificate {certificates.ca};
        ssl_verify_client on;
        ssl_protocols TLSv1.3;
        ssl_session_tickets off;
        client_max_body_size 0;
        root {files};
        dav_methods PUT DELETE;
    }}
}}
"""


class Nginx(Server):
    """`files` is where it keeps them: in memory or on the disk."""

    def __init__(self, directory, files, certificates):
        directory.mkdir(exist_ok=True)
        files.mkdir(exist_ok=True)
        self.files = files
        self.certificates = certificates
        port = free_port()
        config = directory / "nginx.conf"
        config.write_text(CONFIG.format(directory=directory, files=files, port=port, certificates=certificates))
        super().__init__("nginx", ["/usr/sbin/nginx", "-e", "stderr", "-p", directory, "-c", config], directory, port)

    def curl(self, *words, name):
        with_certificate = ["--cacert", self.certificates.ca, "--cert", self.certificates.client_cert, "--key",
                            self.certificates.client_key]  # fmt: skip
        return ["curl", "-sS", "--fail", "--tlsv1.3", *with_certificate, *words, f"https://127.0.0.1:{self.port}/{name}"]

    def put(self, file, name):
        return self.curl("-T", file, "-H", "Expect:", name=name)

    def get(self, name, file):
        return self.curl("-o", file, name=name)
