# SPDX-License-Identifier: Apache-2.0
"""Job 7: full mutual handshakes for each second of the server's core; no resumption, RSA-3072 everywhere.

The client's core has as much to do, so that the rate by the clock would say who of the two is the slower; what a vault's
core can do is what one handshake costs it."""

from ..measure import Comparison, Contender
from ..suite import Suite

SAT = "SAT"
NGINX = "nginx, client certificate"


def handshakes(world):
    vault, nginx = world.vault("disk", world.place.disk), world.nginx()
    (nginx.files / "small.json").write_text("{}\n")
    count = 300 if world.options.short else 1000
    keys = nginx.certificates
    # Each asks for a small file, so that the server has to have finished the handshake; then the connection ends.
    urls = world.place.disk / "handshakes.curl"
    lines = ["silent", "show-error", "fail", "tlsv1.3", "no-sessionid", 'header = "Connection: close"', f'cacert = "{keys.ca}"',
             f'cert = "{keys.client_cert}"', f'key = "{keys.client_key}"']  # fmt: skip
    lines += [f'url = "https://127.0.0.1:{nginx.port}/small.json"'] * count
    urls.write_text("\n".join(lines) + "\n")
    artist = world.artist()

    def of_core(server, argv):
        def run():
            sample = world.meter.client(server, argv)
            sample.figures["core"] = count / max(sample.server_cpu, 0.01)
            return sample

        return run

    contenders = [
        Contender(NGINX, of_core(nginx, ["curl", "-K", urls])),
        Contender(SAT, of_core(vault, [world.drivers / "bench-handshakes", artist.home, vault.address, count])),
    ]
    per_core = lambda sample: sample.figures["core"]
    by_clock = lambda sample: count / sample.seconds
    return contenders, [
        Comparison(7, "mutual handshakes", SAT, NGINX, "/s and core", per_core, 1.0, 1.2),
        Comparison(7, "one after the other, by the clock", SAT, NGINX, "/s", by_clock),
    ]


SUITES = [Suite("handshakes", (7,), handshakes)]
