"""Of ports in a row each is free, for UDP and TCP."""

import contextlib
import socket
import unittest
from unittest import mock

import free_ports


class FreePorts(unittest.TestCase):
    def setUp(self):
        self.first = free_ports.free_port(3)
        self.taken = self.enterContext(contextlib.ExitStack())
        self.enterContext(mock.patch.object(free_ports, "PORTS", range(self.first, self.first + 1)))

    def take(self, kind, port):
        self.taken.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))

    def test_the_last_one_is_taken(self):
        self.take(socket.SOCK_DGRAM, self.first + 2)
        with self.assertRaises(OSError):
            free_ports.free_port(3)
        self.assertEqual(self.first, free_ports.free_port(2))

    def test_one_that_is_taken_for_tcp_alone(self):
        self.take(socket.SOCK_STREAM, self.first)
        with self.assertRaises(OSError):
            free_ports.free_port()


if __name__ == "__main__":
    unittest.main()
