"""Ports for servers that are told which one to use."""

import contextlib
import random
import socket

# Below those that Linux gives to sockets that ask for any, so that no other program gets one before the server does.
PORTS = range(20_000, 32_000)


def free_port(count=1):
    """The first of `count` ports in a row that are free for UDP and TCP."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for each in range(port, port + count):
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    probes.enter_context(socket.socket(socket.AF_INET6, kind)).bind(("::", each))
            return port
    raise OSError(f"no port of {PORTS} is free")
