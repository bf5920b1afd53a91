"""A UDP relay that loses nothing, reads the headers of the records, and can change the client's port as a NAT does."""

import select
import socket
import threading

TLS12_CID = 25  # the content type of RFC 9146 section 4
HEADER12 = 13  # bytes of a DTLS 1.2 header without a connection ID
CID_BIT = 0x10  # of the unified header (RFC 9147 section 4)


class Direction:
    """The protected records of one direction. `id_size` is the size of the connection IDs that its receiver asked for."""

    def __init__(self, id_size):
        self.id_size = id_size
        self.ids = set()
        self.with_id = 0
        self.without_id = 0

    def read(self, datagram):
        """Reads a datagram as far as the length of each record is known."""
        while datagram:
            if datagram[0] >> 5 == 1:
                self._count(datagram[1:] if datagram[0] & CID_BIT else None)
                return  # the fields behind the ID have lengths of their own, and one such record is enough
            has_id = datagram[0] == TLS12_CID
            header = HEADER12 + (self.id_size if has_id else 0)
            if len(datagram) < header:
                return
            if has_id or any(datagram[3:5]):  # any epoch but 0
                self._count(datagram[11:] if has_id else None)
            datagram = datagram[header + int.from_bytes(datagram[header - 2:header], "big"):]

    def _count(self, behind):
        if behind is None:
            self.without_id += 1
        else:
            self.with_id += 1
            self.ids.add(bytes(behind[:self.id_size]))


class WatchedPath:
    """Relays between one client and a server. Ends with the `with` block."""

    lossy = False

    def __init__(self, server_port, server_id, client_id):
        self.server = ("127.0.0.1", server_port)
        self.client = None
        self.inside = self._socket()
        self.outside = self._socket()
        self.to_server, self.to_client = Direction(server_id), Direction(client_id)
        self.port = self.inside.getsockname()[1]  # where the client connects to
        self.ended = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    @staticmethod
    def _socket():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join()
        self.inside.close()
        self.outside.close()

    @property
    def client_port(self):
        """Where the server sees the client."""
        return self.outside.getsockname()[1]

    def rebind(self):
        """From now on the server sees the client at another port. What goes to the old one is lost."""
        old, self.outside = self.outside, self._socket()
        old.close()

    def _run(self):
        while not self.ended:
            outside = self.outside
            try:
                ready, _, _ = select.select([self.inside, outside], [], [], 0.02)
                for source in ready:
                    self._carry(source)
            except (OSError, ValueError):
                pass  # a program has closed its socket, or rebind() has closed ours

    def _carry(self, source):
        datagram, sender = source.recvfrom(65536)
        if source is self.inside:
            self.client = sender
            self.to_server.read(datagram)
            self.outside.sendto(datagram, self.server)
        elif self.client:
            self.to_client.read(datagram)
            self.inside.sendto(datagram, self.client)
