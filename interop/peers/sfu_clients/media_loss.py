"""A path to a UDP port of loopback that loses some of the RTP packets. STUN, DTLS and RTCP pass: what is tried is not their
repair, and not every library asks twice."""

import random
import select
import socket
import threading


def is_rtp(datagram):
    """RFC 7983 section 7, and RFC 5761 section 4."""
    return len(datagram) > 1 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223


class MediaLoss:
    """Relays any number of clients to `server_port`. Ends with the `with` block."""

    def __init__(self, address, server_port, loss, seed):
        self.server = (address, server_port)
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.loss = loss
        self.random = random.Random(seed)
        self.front = self._socket()
        self.backs = {}  # by client, a socket of its own towards the server
        self.lost = 0
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _socket(self):
        made = socket.socket(self.family, socket.SOCK_DGRAM)
        made.bind((self.server[0], 0))
        return made

    @property
    def name(self):
        """ADDRESS:PORT where clients come."""
        host = f"[{self.server[0]}]" if self.family == socket.AF_INET6 else self.server[0]
        return f"{host}:{self.front.getsockname()[1]}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        for each in (self.front, *self.backs.values()):
            each.close()

    def _run(self):
        clients = {}  # by socket
        while not self.ended:
            for source in select.select([self.front, *clients], [], [], 0.05)[0]:
                try:
                    datagram, sender = source.recvfrom(65536)
                    if is_rtp(datagram) and self.random.random() < self.loss:
                        self.lost += 1
                        continue
                    if source is not self.front:
                        self.front.sendto(datagram, clients[source])
                        continue
                    if sender not in self.backs:
                        self.backs[sender] = self._socket()
                        clients[self.backs[sender]] = sender
                    self.backs[sender].sendto(datagram, self.server)
                except ConnectionError:
                    pass  # the other side has closed its socket
