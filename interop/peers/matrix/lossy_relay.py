"""A UDP relay that loses, delays and duplicates datagrams. Its decisions come from a seed."""

import random
import select
import socket
import threading
import time

LOST = 0.20
REORDERED = 0.10
DUPLICATED = 0.10
TEXT = "20 % lost, 10 % reordered, 10 % duplicated"
# How long a reordered datagram is held, in seconds: the rest of its flight overtakes it.
HOLD = 0.03


class LossyRelay:
    """Relays between one client and a server. Ends with the `with` block."""

    lossy = True

    def __init__(self, server_port, seed):
        self.server = ("127.0.0.1", server_port)
        self.client = None
        self.inner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.inner.bind(("127.0.0.1", 0))
        self.outer.bind(("127.0.0.1", 0))
        # Each direction draws its own numbers, so that what happens to a datagram depends on the seed, the direction
        # and its place there alone.
        self.chance = {self.inner: random.Random(f"{seed} to the client"), self.outer: random.Random(f"{seed} to the server")}
        self.held = []  # (due, socket, datagram)
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @property
    def port(self):
        """Where the client connects to."""
        return self.outer.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.inner.close()
        self.outer.close()

    def _run(self):
        while not self.ended:
            ready, _, _ = select.select([self.inner, self.outer], [], [], 0.01)
            for source in ready:
                self._receive(source)
            now = time.monotonic()
            due = [entry for entry in self.held if entry[0] <= now]
            self.held = [entry for entry in self.held if entry[0] > now]
            for _, source, datagram in due:
                self._forward(source, datagram)

    def _receive(self, source):
        try:
            datagram, sender = source.recvfrom(65536)
        except ConnectionError:
            return  # the other program has closed its socket
        if source is self.outer:
            self.client = sender
        chance = self.chance[source]
        lost, reordered, duplicated = (chance.random() for _ in range(3))
        if lost < LOST:
            return
        for _ in range(2 if duplicated < DUPLICATED else 1):
            if reordered < REORDERED:
                self.held.append((time.monotonic() + HOLD, source, datagram))
            else:
                self._forward(source, datagram)

    def _forward(self, source, datagram):
        try:
            if source is self.outer:
                self.inner.sendto(datagram, self.server)
            elif self.client:
                self.outer.sendto(datagram, self.client)
        except ConnectionError:
            pass
