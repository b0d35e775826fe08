"""Several hosts on this machine, for tests: each has a name, a network of its own, and a cable to a switch.

They share processors, files and a table of processes. The switch is this file as a program, the first process of that
table: it makes the hosts, and when its standard input is closed, the system ends all processes on them, and nothing is
left. It delays and loses frames by itself, since many kernels lack netem, which emulates bad lines.
"""

from __future__ import annotations

import json
import random
import select
import shlex
import socket
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

NAMESPACES = ["unshare", "--map-root-user", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
AS_SSH = """\
#!/bin/sh
[ "$1" = -x ] && shift
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; exec $*"
"""
"""Runs a program on a host, as ssh does; an MPI library takes it for ssh."""

FIRST_ADDRESS = 1
ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_VNET_HDR = 15
"""The option with which a frame begins with what network cards would do to it: its checksum, and cutting it up."""

PACKET_IGNORE_OUTGOING = 23
HEADER = 10
"""Bytes of that beginning."""

LONGEST_FRAME = 1 << 17


class SeveralHosts:
    """Hosts that can reach each other until a cable is pulled.

    Args:
        names: what they are called; others find them by these names.
        folder: where to write what the hosts need.
        delay: seconds that each frame takes.
        loss: the share of frames that are lost.
    """

    def __init__(self, names, folder, *, delay=0.0, loss=0.0):
        self.names, self._folder = names, folder
        self.addresses = {name: f"192.0.2.{FIRST_ADDRESS + number}" for number, name in enumerate(names)}
        self.ssh = folder / "ssh"
        self.ssh.write_text(AS_SSH)
        self.ssh.chmod(0o755)
        hosts = folder / "hosts"
        hosts.write_text("".join(f"{address} {name}\n" for name, address in self.addresses.items()))
        request = {"hosts": str(hosts), "addresses": self.addresses, "delay": delay, "loss": loss}
        command = [*NAMESPACES, sys.executable, __file__, json.dumps(request)]
        self._switch = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self._switch.stdout.readline() == "ready\n"
        (switch,) = Path(f"/proc/{self._switch.pid}/task/{self._switch.pid}/children").read_text().split()
        self._inside = ["nsenter", "--target", switch, "--all", "--preserve-credentials"]

    def command(self, host, *words):
        """Return the command that runs a program on a host, in this process's folder."""
        return [*self._inside, f"--wd={Path.cwd()}", str(self.ssh), host, shlex.join(map(str, words))]

    def cut(self, host):
        """Pull the cable of a host."""
        self._set_link(host, "down")

    def mend(self, host):
        """Put it back."""
        self._set_link(host, "up")

    def processes(self, host):
        """Return the numbers of the processes that run on a host."""
        return self._run("ip", "netns", "pids", host).split()

    def close(self):
        """End all."""
        self._switch.stdin.close()
        self._switch.stdout.close()
        self._switch.wait(timeout=10)

    def _set_link(self, host, state):
        self._run("ip", "link", "set", f"port{self.names.index(host)}", state)

    def _run(self, *words):
        return subprocess.run([*self._inside, *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def why_not():
    """Return why there can't be hosts on this machine; nothing if there can."""
    try:
        done = subprocess.run([*NAMESPACES, "ip", "netns"], check=False, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        return str(error)
    return done.stderr.strip()


def make_hosts(hosts, addresses):
    """Make the hosts, and return the name of each one's port of the switch."""
    run = subprocess.check_call
    run(["mount", "-t", "tmpfs", "tmpfs", "/run"])  # where ip keeps names of networks
    run(["mount", "--bind", hosts, "/etc/hosts"])
    for number, (name, address) in enumerate(addresses.items()):
        port, of_host = f"port{number}", ["ip", "-n", name]
        run(["ip", "netns", "add", name])
        run(["ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name])
        run([*of_host, "address", "add", f"{address}/24", "dev", "eth0"])
        for interface in ("lo", "eth0"):
            run([*of_host, "link", "set", interface, "up"])
        run(["ip", "link", "set", port, "up"])
        yield port


def open_port(name):
    """Return a socket that receives all frames which come from a host, and sends it some."""
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.bind((name, 0))
    return port


def forward(ports, delay, loss):
    """Send each frame to where it is to go, after some time, until standard input is closed."""
    chance, at_port, waiting = random.Random(0), {}, deque()
    while True:
        timeout = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        for source in select.select([sys.stdin, *ports], [], [], timeout)[0]:
            if source is sys.stdin:
                return
            with suppress(OSError):  # its cable was pulled
                frame = source.recv(LONGEST_FRAME)
                if chance.random() >= loss:
                    waiting.append((time.monotonic() + delay, source, frame))
        while waiting and waiting[0][0] <= time.monotonic():
            _, source, frame = waiting.popleft()
            to, sender = frame[HEADER : HEADER + 6], frame[HEADER + 6 : HEADER + 12]
            at_port[sender] = source
            for port in [at_port[to]] if to in at_port else ports:
                if port is not source:
                    with suppress(OSError):
                        port.send(frame)


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    connected = [open_port(name) for name in [*make_hosts(asked["hosts"], asked["addresses"])]]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    forward(connected, asked["delay"], asked["loss"])
