#!/usr/bin/env python3
"""Tests that sessions of sluice-dtls-server go on without a handshake after a restart, after a crash, at another server
and after they have slept in a store.

Environment variables name the programs: SLUICE_DTLS_SERVER, SLUICE_DTLS_CLIENT, OPENSSL.
"""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import unittest

from free_ports import free_port
from record_numbers import APPLICATION, numbers12, numbers13, secrets13
from tools_test_case import CLIENT, PSK, SECONDS, SERVER, Process, Relay, ToolsTestCase

ID_SIZE = 8  # of the server's connection IDs
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


class MovingSessions(ToolsTestCase):
    def setUp(self):
        self.folder = self.enter(tempfile.TemporaryDirectory())
        self.keys = str(pathlib.Path(self.folder, "keys"))

    def server(self, store, *options, address="127.0.0.1:0"):
        server = self.enter(Process(SERVER, "--accept", address, "--cid", str(ID_SIZE), "--store", store, "--tickets-key",
                                    self.keys, *options))
        return server, server.wait_for("ACCEPT").split()[-1]

    def client(self, address, *options):
        key_log = pathlib.Path(self.enter(tempfile.TemporaryDirectory()), "key_log")
        client = self.enter(Process(CLIENT, "--connect", address, "--cid", "0", "--keylogfile", str(key_log), *options))
        client.wait_for(f"connection IDs of 0 bytes here and {ID_SIZE} there")
        client.key_log = key_log
        return client

    def stop(self, server, expected):
        server.process.terminate()
        self.assertEqual(server.finish(), 0, server.output)
        self.assertIn(expected, "".join(server.output))

    def redis(self):
        program = shutil.which("redis-server")
        if program is None:
            self.skipTest("there is no redis-server")
        port = str(free_port())
        redis = self.enter(Process(program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--daemonize", "no",
                                   "--dir", self.folder))
        redis.wait_for("Ready to accept connections")
        return "redis:127.0.0.1:" + port

    def check_echoes(self, client, switch, first_after_move):
        """Each line came back once at most, those after the move exactly once, and there was one handshake."""
        self.check_numbers(client, switch)
        text = "".join(client.output)
        echoed = [int(number) for number in re.findall(r"^line (\d+)$", text, re.MULTILINE)]
        self.assertEqual(len(echoed), len(set(echoed)), echoed)
        after = [number for number in echoed if number >= first_after_move]
        self.assertEqual(after, list(range(first_after_move, first_after_move + len(after))))
        self.assertEqual(text.count("connection IDs of"), 1, text)

    def check_numbers(self, client, switch):
        """No record number, and so no nonce, was used twice by either side."""
        of_client, of_server = self.numbers(client, switch.of_client, switch.of_server)
        for numbers in (of_client, of_server):
            self.assertEqual(len(numbers), len(set(numbers)), numbers)
        # The client has all the time counted from 0 in each epoch, which shows that the numbers are read correctly.
        for epoch in {epoch for epoch, _ in of_client}:
            in_order = [number for e, number in of_client if e == epoch]
            self.assertEqual(in_order, list(range(len(in_order))))
        repeated, _ = self.numbers(client, [*switch.of_client, switch.of_client[-1]], [])
        self.assertLess(len(set(repeated)), len(repeated), "the watch sees nothing")

    @staticmethod
    def numbers(client, of_client, of_server):
        if "DTLS 1.2" in "".join(client.output):
            return numbers12(of_client, ID_SIZE), numbers12(of_server, 0)
        key_log = client.key_log.read_text()
        return (numbers13(of_client, ID_SIZE, secrets13(key_log, "CLIENT")),
                numbers13(of_server, 0, secrets13(key_log, "SERVER")))

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

    def test_crashes(self):
        self.for_each_kind(self.check_crashes)

    def check_crashes(self, of_server, of_client):
        """What was sent while no server ran is lost, and nothing comes back twice: the network repeats no datagram.
        After a crash the replay window is as old as the snapshot (docs/live-sessions.md)."""
        store = "lmdb:" + self.enter(tempfile.TemporaryDirectory())
        server, address = self.server(store, "--snapshots", *of_server)
        switch = self.enter(Switch(address))
        client = self.client(switch.address, *of_client)
        with Lines(client) as lines:
            lines.wait_for_some()
            for _ in range(3):
                server.process.kill()
                server.process.wait()
                server, _ = self.server(store, "--snapshots", *of_server, address=address)
                server.wait_for("restored")
                first = lines.wait_for_some()
        self.stop(server, "sessions: 1 stored, 1 restored, 0 begun here; snapshots: ")
        self.check_echoes(client, switch, first)

    def test_sessions_that_are_over_leave_no_snapshot(self):
        store = "lmdb:" + self.folder
        server, address = self.server(store, "--snapshots")
        client = self.client(address)
        self.assertEqual(client.finish(), 0)
        server.wait_for("closed by the peer")
        self.stop(server, "sessions: 0 stored, 0 restored, 1 begun here; snapshots: ")
        self.assertIn(" failed, 0 left behind;", server.output[-1])

    def test_keys_that_change(self):
        store = "lmdb:" + self.folder
        server, address = self.server(store)
        switch = self.enter(Switch(address))
        client = self.client(switch.address, "--dtls1_3", "--key_update", "2")
        with Lines(client) as lines:
            lines.wait_for_some()
            self.stop(server, "sessions: 1 stored, 0 restored, 1 begun here")
            self.server(store, address=address)[0].wait_for("restored")
            lines.wait_for_some()
            first = lines.wait_for_some()
        self.check_echoes(client, switch, first)
        of_client, of_server = self.numbers(client, switch.of_client, switch.of_server)
        for numbers in (of_client, of_server):
            self.assertGreater(max(numbers)[0], APPLICATION + 1, "the keys have not changed often enough")

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

    def test_new_ticket_keys_survive_a_crash(self):
        self.server("memory", "--age-after", "60")
        made = pathlib.Path(self.keys).read_bytes()
        rotating, _ = self.server("memory", "--age-after", "60", "--ticket-rotation", "1")
        rotating.wait_for("new ticket keys are in the file")
        rotating.process.kill()
        rotating.process.wait()
        self.assertNotEqual(pathlib.Path(self.keys).read_bytes(), made)
        self.assertEqual(os.stat(self.keys).st_mode & 0o777, 0o600)
        file = str(pathlib.Path(self.folder, "session"))
        server, address = self.server("memory", "--age-after", "60")
        self.assertNotIn("resumed", self.talk(address, "--sess_out", file))
        server.process.kill()
        _, address = self.server("memory", "--age-after", "60")
        self.assertIn("resumed", self.talk(address, "--sess_in", file))

    def test_stores_that_cannot_be_had(self):
        keys = ["--tickets-key", self.keys]
        for options in (["--store", "memory"], ["--store", "lmdb:" + self.folder], ["--store", "elsewhere", *keys],
                        ["--store", "redis:localhost", *keys], ["--store", "lmdb:/dev/null/x", *keys],
                        ["--store", "lmdb:" + self.folder, *keys, "--threads", "2"],
                        ["--snapshots"], ["--snapshots", "--store", "memory", "--age-after", "1"],
                        ["--snapshots", "--store", "redis:localhost:1", *keys]):
            with self.subTest(options=options):
                self.refuses("--cid", "8", *options)

    def test_one_server_has_a_database_for_itself(self):
        store = "lmdb:" + self.folder
        self.server(store)
        refused = self.refuses("--cid", "8", "--store", store, "--tickets-key", self.keys)
        self.assertIn("another process", refused.stderr)

    def refuses(self, *options):
        refused = subprocess.run([SERVER, "--accept", "127.0.0.1:0", *options], capture_output=True, text=True,
                                 timeout=SECONDS)
        self.assertGreater(refused.returncode, 0, refused.stderr)
        return refused


if __name__ == "__main__":
    unittest.main()
