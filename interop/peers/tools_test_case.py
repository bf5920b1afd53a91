"""What the tests of sluice-dtls-server and sluice-dtls-client share: the programs, and relays between them on loopback.

Environment variables name the programs: SLUICE_DTLS_SERVER, SLUICE_DTLS_CLIENT, OPENSSL.
"""

import os
import select
import socket
import subprocess
import threading
import unittest

SERVER = os.environ["SLUICE_DTLS_SERVER"]
CLIENT = os.environ["SLUICE_DTLS_CLIENT"]
OPENSSL = os.environ["OPENSSL"]
SECONDS = 20  # limits a failing test
PSK = "00112233445566778899aabbccddeeff"


class ToolsTestCase(unittest.TestCase):
    def enter(self, context):  # as enterContext() of Python 3.11
        entered = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return entered


class Process:
    """A program whose output is read line by line up to an expected text."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        self.watchdog = threading.Timer(SECONDS, self.process.kill)
        self.watchdog.start()
        self.output = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.communicate()

    def wait_for(self, text):
        for line in self.process.stdout:
            self.output.append(line)
            if text in line:
                return line
        raise AssertionError(f"did not print '{text}': {''.join(self.output)}")

    def say(self, text):
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def finish(self):
        """Closes the input, waits for the end and returns the exit code."""
        self.output.append(self.process.communicate()[0])
        return self.process.returncode


class Relay:
    """Carries datagrams between one client and a server. A subclass may treat those of either side otherwise."""

    def __init__(self, server):
        self.inside, self.outside = self.make_socket(), []
        self.address = "127.0.0.1:%d" % self.inside.getsockname()[1]
        self.client = None
        self.lead_to(server)
        self.change_port()
        self.end, self.ended = socket.socketpair()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.end.close()
        self.thread.join()
        for one in (self.inside, *self.outside, self.ended):
            one.close()

    @staticmethod
    def make_socket():
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def lead_to(self, server):
        host, port = server.rsplit(":", 1)
        self.server = (host, int(port))

    def change_port(self):
        """The server sees the client at another port from now on; what it sends to the former ones still arrives."""
        self.outside.append(self.make_socket())

    def on_client(self, datagram):
        self.outside[-1].sendto(datagram, self.server)

    def on_server(self, datagram):
        self.inside.sendto(datagram, self.client)

    def run(self):
        while True:
            ready = select.select([self.inside, *self.outside, self.ended], [], [])[0]
            if self.ended in ready:
                return
            if self.inside in ready:
                datagram, self.client = self.inside.recvfrom(65536)
                self.on_client(datagram)
            for one in ready:
                if one is not self.inside:
                    self.on_server(one.recv(65536))
