#!/usr/bin/python3
"""sluice-sfu is replaced by the next one: signals, sockets, the state file, and what it says of them.

The environment variable SLUICE_SFU_BINARY names the server; SLUICE_LOAD_BINARY may name sluice-load.
"""

import http.client
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from process_state import is_running
from sfu_server import BINARY, LOOPBACK, OFFER, SECONDS, NotifySocket, run

LOAD = os.environ.get("SLUICE_LOAD_BINARY")


class Servers:
    """A server and those that take its place, with the lines of their logs, until the end of a with statement."""

    def __init__(self, folder, *arguments, program=BINARY, environment=None):
        self.environment = environment
        self.state = os.path.join(folder, "state")
        self.arguments = [program, *LOOPBACK, "--log-format", "json", *arguments]
        self.log = []
        self.lines = threading.Condition()

    def __enter__(self):
        self.first = subprocess.Popen(self.arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env=self.environment)
        self.process = self.first.pid
        self.url = self.first.stdout.readline().strip()
        if not self.url:
            raise AssertionError(f"the server did not start: {self.first.stderr.read()}")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        if is_running(self.process):
            os.kill(self.process, signal.SIGINT)
        self.wait_for_end(self.process)
        self.first.wait(SECONDS)
        self.first.stdout.close()
        self.reader.join(SECONDS)
        self.first.stderr.close()

    def read(self):
        for line in self.first.stderr:
            with self.lines:
                self.log.append(json.loads(line))
                self.lines.notify_all()

    def event(self, name, after=0):
        """The first one of this name behind `after` lines."""
        def found():
            return next((line for line in self.log[after:] if line["event"] == name), None)

        with self.lines:
            if not self.lines.wait_for(found, SECONDS):
                raise AssertionError(f"no {name} in {self.log[after:]}")
            return found()

    def replace(self):
        after = len(self.log)
        os.kill(self.process, signal.SIGUSR2)
        before, self.process = self.process, int(self.event("replaced", after)["process"])
        self.event("started", after)
        self.wait_for_end(before)

    def wait_for_end(self, process):
        end = time.monotonic() + SECONDS
        while is_running(process):
            if time.monotonic() > end:
                raise AssertionError(f"process {process} does not end")
            if process == self.first.pid:
                self.first.poll()
            time.sleep(0.01)

    def request(self, method, path, body=None, **headers):
        """Status and Location."""
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc, timeout=SECONDS)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, answer.headers.get("Location")


class RestartTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.state = os.path.join(self.folder, "state")

    def serve(self, *arguments, **options):
        return Servers(self.folder, "--state", self.state, *arguments, **options)

    def test_every_request_has_its_answer_while_servers_are_replaced(self):
        statuses = []
        ends = threading.Event()

        def ask(servers):
            while not ends.is_set():
                try:
                    statuses.append(servers.request("GET", "/healthz")[0])
                except OSError as error:
                    statuses.append(repr(error))

        with self.serve() as servers:
            asking = threading.Thread(target=ask, args=(servers,))
            asking.start()
            for _ in range(3):
                servers.replace()
            ends.set()
            asking.join(SECONDS)
            self.assertGreater(len(statuses), 3)
            self.assertEqual(set(statuses), {200})
            self.assertEqual(len({line["url"] for line in servers.log if line["event"] == "started"}), 1)

    def test_systemd_is_told_which_process_goes_on(self):
        with NotifySocket(os.path.join(self.folder, "notify")) as systemd:
            with self.serve(environment=systemd.environment) as servers:
                self.assertEqual(systemd.told(), "READY=1")
                for _ in range(2):
                    servers.replace()
                    self.assertEqual(systemd.told(), f"MAINPID={servers.process}")
                    self.assertEqual(systemd.told(), "READY=1")
            self.assertEqual(systemd.told(), "STOPPING=1")

    def test_who_is_not_connected_has_to_begin_anew(self):
        with self.serve() as servers:
            status, location = servers.request("POST", "/whip/room", OFFER, **{"Content-Type": "application/sdp"})
            self.assertEqual(status, 201)
            servers.replace()
            self.assertEqual(servers.event("moved")["sessions"], "0")
            self.assertEqual(servers.event("session_ended")["reason"], "stopped")
            self.assertEqual(servers.request("DELETE", location)[0], 404)

    def test_without_a_file_nothing_changes(self):
        with Servers(self.folder) as servers:
            os.kill(servers.process, signal.SIGUSR2)
            self.assertIn("--state", servers.event("not_replaced")["reason"])
            self.assertEqual(servers.request("GET", "/healthz")[0], 200)

    def test_a_version_that_does_not_start_changes_nothing(self):
        program = os.path.join(self.folder, "server")
        os.symlink(BINARY, program)
        with self.serve(program=program) as servers:
            for next_one, why in (("/bin/false", "it has ended with 1"), ("/nowhere", "No such file")):
                after = len(servers.log)
                os.remove(program)
                os.symlink(next_one, program)
                os.kill(servers.process, signal.SIGUSR2)
                self.assertIn(why, servers.event("not_replaced", after)["reason"])
                self.assertEqual(servers.request("GET", "/healthz")[0], 200)
            os.remove(program)
            os.symlink(BINARY, program)
            servers.replace()
            self.assertEqual(servers.request("GET", "/healthz")[0], 200)

    def test_the_signals_leave_what_they_say(self):
        for number, is_left in ((signal.SIGTERM, True), (signal.SIGINT, False)):
            with self.serve() as servers:
                os.kill(servers.process, number)
                self.assertEqual(servers.first.wait(SECONDS), 0)
            self.assertEqual(os.path.exists(self.state), is_left, number)
            if is_left:
                self.assertEqual(os.stat(self.state).st_mode & 0o777, 0o600)
                os.remove(self.state)

    def test_a_damaged_state_is_told_and_left_out(self):
        with self.serve() as servers:
            os.kill(servers.process, signal.SIGTERM)
            servers.first.wait(SECONDS)
        with open(self.state, "r+b") as file:
            file.seek(40)
            file.write(b"xxxx")
        with self.serve() as servers:
            self.assertIn(self.state, servers.event("state_refused")["reason"])
            self.assertEqual(servers.request("GET", "/healthz")[0], 200)

    def test_a_file_that_cannot_be_written_is_told(self):
        os.mkdir(self.state)
        with self.serve() as servers:
            servers.event("state_refused")
            os.kill(servers.process, signal.SIGTERM)
            self.assertEqual(servers.first.wait(SECONDS), 1)
            self.assertIn(self.state, servers.event("state_not_written")["reason"])

    def test_bad_options_are_named(self):
        self.assertIn("--state-key needs --state", run("--state-key", self.state)[1])
        key = self.state + ".key"
        with open(key, "w", encoding="utf-8"):
            pass
        os.chmod(key, 0o644)
        code, said = run("--state", self.state)
        self.assertEqual(code, 1)
        self.assertIn(key, said)

    @unittest.skipUnless(LOAD, "SLUICE_LOAD_BINARY names no sluice-load")
    def test_viewers_lose_nothing(self):
        with self.serve() as servers:
            result = os.path.join(self.folder, "result.json")
            load = subprocess.Popen([LOAD, "--publish", f"{servers.url}whip/room", "--watch", f"{servers.url}whep/room",
                                     "--viewers", "10", "--duration", "6", "--audio", "--max-loss", "0", "--max-corrupt", "0",
                                     "--max-duplicates", "0", "--max-breaks", "0", "--max-gap", "1500", "--json", result],
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            with servers.lines:
                connected = lambda: sum(line["event"] == "session_connected" for line in servers.log)
                self.assertTrue(servers.lines.wait_for(lambda: connected() == 11, SECONDS))
            time.sleep(1)
            for _ in range(3):
                servers.replace()
            said, _ = load.communicate(timeout=2 * SECONDS)
            self.assertEqual(load.returncode, 0, said)


if __name__ == "__main__":
    unittest.main()
