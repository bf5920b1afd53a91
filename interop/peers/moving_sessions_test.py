#!/usr/bin/env python3
"""Tests that sessions of sluice-dtls-server go on without a handshake after a restart, at another server and after
they have slept in a store.

Environment variables name the programs: SLUICE_DTLS_SERVER, SLUICE_DTLS_CLIENT, OPENSSL.
"""

import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from tools_test_case import CLIENT, PSK, SECONDS, SERVER, Process, Relay, ToolsTestCase

VERSIONS = ("--dtls1_2", "--dtls1_3")
# Options of the server and of the client. With --Verify the client has a certificate, too.
CREDENTIALS = {"PSK": (["--psk", PSK], ["--psk", PSK]), "certificates": (["--Verify", "1"], [])}


class Switch(Relay):
    """Carries datagrams between one client and a server that may be replaced, and keeps a copy of all."""

    def __init__(self, server):
        super().__init__(server)
        self.of_client, self.of_server = [], []

    def repeat_all_of_client(self):
        for datagram in list(self.of_client):
            super().on_client(datagram)

    def on_client(self, datagram):
        self.of_client.append(datagram)
        super().on_client(datagram)

    def on_server(self, datagram):
        self.of_server.append(datagram)
        super().on_server(datagram)


class Lines:
    """Has a client send "line 0", "line 1" and so on, ten a second."""

    def __init__(self, client):
        self.client = client
        self.sent = 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def run(self):
        while not self.ended.wait(0.1):
            self.client.say(f"line {self.sent}\n")
            self.sent += 1

    def wait_for_some(self):
        """Three echoes of lines that are still to be sent. Returns the number of the first."""
        first = self.sent + 1
        self.client.wait_for(f"line {first + 2}\n")
        return first


def numbers_of_records12(datagrams):
    """Epoch and number of each protected DTLS 1.2 record without a connection ID (RFC 6347 section 4.1)."""
    numbers = []
    for datagram in datagrams:
        while len(datagram) >= 13:
            epoch, number, size = struct.unpack("!H6sH", datagram[3:13])
            if epoch != 0:
                numbers.append((epoch, number))
            datagram = datagram[13 + size:]
    return numbers


class MovingSessions(ToolsTestCase):
    def setUp(self):
        self.folder = self.enter(tempfile.TemporaryDirectory())
        self.keys = str(pathlib.Path(self.folder, "keys"))

    def server(self, store, *options, address="127.0.0.1:0"):
        server = self.enter(Process(SERVER, "--accept", address, "--cid", "8", "--store", store, "--tickets-key",
                                    self.keys, *options))
        return server, server.wait_for("ACCEPT").split()[-1]

    def client(self, address, *options):
        client = self.enter(Process(CLIENT, "--connect", address, "--cid", "0", *options))
        client.wait_for("connection IDs of 0 bytes here and 8 there")
        return client

    def stop(self, server, expected):
        server.process.terminate()
        self.assertEqual(server.finish(), 0, server.output)
        self.assertIn(expected, "".join(server.output))

    def redis(self):
        program = shutil.which("redis-server")
        if program is None:
            self.skipTest("there is no redis-server")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        redis = self.enter(Process(program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--daemonize", "no",
                                   "--dir", self.folder))
        redis.wait_for("Ready to accept connections")
        return "redis:127.0.0.1:" + port

    def check_echoes(self, client, switch, first_after_move):
        """Each line came back once at most, those after the move exactly once, and there was one handshake."""
        text = "".join(client.output)
        echoed = [int(number) for number in re.findall(r"^line (\d+)$", text, re.MULTILINE)]
        self.assertEqual(len(echoed), len(set(echoed)), echoed)
        after = [number for number in echoed if number >= first_after_move]
        self.assertEqual(after, list(range(first_after_move, first_after_move + len(after))))
        self.assertEqual(text.count("connection IDs of"), 1, text)
        if "DTLS 1.2" in text:
            numbers = numbers_of_records12(switch.of_server)
            self.assertEqual(len(numbers), len(set(numbers)), numbers)

    def for_each_kind(self, check):
        for version in VERSIONS:
            for name, (of_server, of_client) in CREDENTIALS.items():
                with self.subTest(version=version, credentials=name):
                    check(of_server, [version, *of_client])

    def test_a_restart(self):
        self.for_each_kind(self.check_a_restart)

    def check_a_restart(self, of_server, of_client):
        store = "lmdb:" + self.enter(tempfile.TemporaryDirectory())
        server, address = self.server(store, *of_server)
        switch = self.enter(Switch(address))
        client = self.client(switch.address, *of_client)
        with Lines(client) as lines:
            lines.wait_for_some()
            self.stop(server, "sessions: 1 stored, 0 restored, 1 begun here")
            server, _ = self.server(store, *of_server, address=address)
            server.wait_for("restored")
            first = lines.wait_for_some()
            switch.repeat_all_of_client()
            lines.wait_for_some()
            self.stop(server, "sessions: 1 stored, 1 restored, 0 begun here")
        self.check_echoes(client, switch, first)

    def test_another_server_takes_over(self):
        store = self.redis()
        self.for_each_kind(lambda *options: self.check_a_takeover(store, *options))

    def check_a_takeover(self, store, of_server, of_client):
        one, address = self.server(store, *of_server)
        other, other_address = self.server(store, *of_server, "--age-after", "0.5")
        switch = self.enter(Switch(address))
        client = self.client(switch.address, *of_client)
        with Lines(client) as lines:
            lines.wait_for_some()
            self.stop(one, "sessions: 1 stored, 0 restored, 1 begun here")
            switch.lead_to(other_address)
            other.wait_for("restored")
            first = lines.wait_for_some()
            switch.repeat_all_of_client()
            lines.wait_for_some()
        self.check_echoes(client, switch, first)
        # Now both run. The client is silent, so its session sleeps.
        other.wait_for("asleep")
        one, address = self.server(store, *of_server)
        switch.lead_to(address)
        client.say("still here\n")
        client.wait_for("still here")
        self.stop(one, "sessions: 1 stored, 1 restored, 0 begun here")
        self.stop(other, "sessions: 1 stored, 1 restored, 0 begun here")

    def test_sessions_sleep(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                server, address = self.server("memory", "--age-after", "0.2")
                client = self.client(address, version, "--wait", "1")
                for number in range(3):
                    server.wait_for("asleep")
                    client.say(f"line {number}\n")
                    server.wait_for("restored")
                    client.wait_for(f"line {number}\n")
                self.assertEqual(client.finish(), 0)

    def test_tickets_after_a_restart(self):
        file = str(pathlib.Path(self.folder, "session"))
        for version in VERSIONS:
            with self.subTest(version=version):
                server, address = self.server("lmdb:" + self.folder)
                self.assertNotIn("resumed", self.talk(address, version, "--sess_out", file))
                self.stop(server, "sessions: ")
                _, address = self.server("memory", "--age-after", "60")
                self.assertIn("resumed", self.talk(address, version, "--sess_in", file))

    def talk(self, address, *options):
        client = subprocess.run([CLIENT, "--connect", address, *options], input="hello\n", capture_output=True, text=True,
                                timeout=SECONDS)
        self.assertEqual((client.returncode, client.stdout), (0, "hello\n"), client.stderr)
        return client.stderr

    def test_the_key_file(self):
        self.server("memory", "--age-after", "60")
        self.assertEqual(os.stat(self.keys).st_mode & 0o777, 0o600)
        made = pathlib.Path(self.keys).read_bytes()
        self.server("memory", "--age-after", "60")
        self.assertEqual(pathlib.Path(self.keys).read_bytes(), made)
        for bad in (made[:-1], made + b"\0", b"?" + made[1:], b""):
            pathlib.Path(self.keys).write_bytes(bad)
            self.refuses("--tickets-key", self.keys)
        pathlib.Path(self.keys).write_bytes(made)
        os.chmod(self.keys, 0o640)
        self.refuses("--tickets-key", self.keys)

    def test_stores_that_cannot_be_had(self):
        keys = ["--tickets-key", self.keys]
        for options in (["--store", "memory"], ["--store", "lmdb:" + self.folder], ["--store", "elsewhere", *keys],
                        ["--store", "redis:localhost", *keys], ["--store", "lmdb:/dev/null/x", *keys],
                        ["--store", "lmdb:" + self.folder, *keys, "--threads", "2"]):
            with self.subTest(options=options):
                self.refuses("--cid", "8", *options)

    def refuses(self, *options):
        refused = subprocess.run([SERVER, "--accept", "127.0.0.1:0", *options], capture_output=True, timeout=SECONDS)
        self.assertEqual(refused.returncode, 1, refused.stderr)


if __name__ == "__main__":
    unittest.main()
