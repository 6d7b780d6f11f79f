# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of our own, a server's certificate and a client's: RSA-3072, as SAT's keys are."""

from .sat import quiet

SERVER = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n"
CLIENT = "extendedKeyUsage=clientAuth\n"


class Certificates:
    def __init__(self, directory):
        self.ca = directory / "ca.pem"
        ca_key = directory / "ca.key"
        quiet(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-nodes", "-keyout", ca_key, "-out", self.ca, "-days", "30",
               "-subj", "/CN=sat-bench CA"])  # fmt: skip
        for name, extensions in (("server", SERVER), ("client", CLIENT)):
            key, request, out = (directory / f"{name}.{end}" for end in ("key", "csr", "pem"))
            (directory / f"{name}.ext").write_text(extensions)
            quiet(["openssl", "req", "-newkey", "rsa:3072", "-nodes", "-keyout", key, "-out", request, "-subj",
                   f"/CN=sat-bench {name}"])  # fmt: skip
            quiet(["openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days",
                   "30", "-extfile", directory / f"{name}.ext", "-out", out])  # fmt: skip
            setattr(self, f"{name}_key", key)
            setattr(self, f"{name}_cert", out)
