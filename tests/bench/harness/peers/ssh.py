# SPDX-License-Identifier: Apache-2.0
"""OpenSSH: sshd with a host key of its own, scp, sftp and ssh as its clients."""

import getpass

from ..server import Server, free_port
from .sat import quiet

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {directory}/host
PidFile none
AuthorizedKeysFile {directory}/client.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
Compression no
MaxStartups 100
Subsystem sftp internal-sftp
"""
CLIENT_CONFIG = """
Host bench
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {directory}/client
    IdentitiesOnly yes
    UserKnownHostsFile {directory}/known
    StrictHostKeyChecking accept-new
    BatchMode yes
    Compression no
    LogLevel ERROR
"""
AES = ["-c", "aes256-gcm@openssh.com"]


class Sshd(Server):
    def __init__(self, directory):
        directory.mkdir(exist_ok=True)
        port = free_port()
        for key in ("host", "client"):
            quiet(["ssh-keygen", "-q", "-t", "rsa", "-b", "3072", "-N", "", "-f", directory / key])
        config = directory / "sshd_config"
        config.write_text(CONFIG.format(directory=directory, port=port))
        self.client_config = directory / "ssh_config"
        self.client_config.write_text(CLIENT_CONFIG.format(directory=directory, port=port, user=getpass.getuser()))
        super().__init__("sshd", ["/usr/sbin/sshd", "-D", "-e", "-f", config], directory, port)

    def scp(self, file, to, cipher=()):
        """The old protocol, which is the faster one."""
        return ["scp", "-O", "-q", "-F", self.client_config, *cipher, file, f"bench:{to}"]

    def sftp(self, batch, cipher=AES):
        return ["sftp", "-q", "-F", self.client_config, *cipher, "-b", batch, "bench"]

    def ssh(self, *command):
        return ["ssh", "-F", self.client_config, "bench", *command]
