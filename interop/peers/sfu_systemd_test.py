#!/usr/bin/python3
"""sluice-sfu as a service of systemd: sockets that are open at its start, notifications, units. The environment is that
of sfu_server.py.
"""

import fcntl
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from free_ports import free_port
from sfu_server import BINARY, FOLDER, OFFER, SECONDS, NotifySocket, Server


class ActivationTest(unittest.TestCase):
    """As systemd starts a service: its sockets are open, as descriptors from 3 on."""

    def setUp(self):
        self.udp = self.enter(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.tcp = self.enter(socket.socket())
        self.http = self.enter(socket.socket())
        port = free_port()
        self.udp.bind(("127.0.0.1", port))
        self.tcp.bind(("127.0.0.1", port))
        self.http.bind(("127.0.0.1", 0))
        self.tcp.listen()
        self.http.listen()

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def arguments(self, *sockets):
        """Options of Popen, and the program before the server that makes it so."""
        numbers = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, 10) for each in sockets]
        for number in numbers:
            self.addCleanup(os.close, number)
        moves = " ".join(f"{3 + index}<&{number}" for index, number in enumerate(numbers))
        script = f'exec {moves}; export LISTEN_FDS={len(numbers)} LISTEN_PID=$$; exec "$@"'
        return {"wrapper": ["bash", "-c", script, "bash"], "pass_fds": numbers}

    def test_one_server_after_the_other_has_the_sockets(self):
        for _ in range(2):
            with Server(**self.arguments(self.udp, self.tcp, self.http)) as server:
                self.assertEqual(server.url, f"http://127.0.0.1:{self.http.getsockname()[1]}/")
                status, answer = self.publish(server)
                self.assertEqual(status, 201, answer)
                candidates = re.findall(r"^a=candidate:\S+ 1 (\w+) \d+ 127\.0\.0\.1 (\d+) ", answer, re.MULTILINE)
                port = str(self.udp.getsockname()[1])
                self.assertEqual({transport.lower(): at for transport, at in candidates}, {"udp": port, "tcp": port})

    @staticmethod
    def publish(server):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(server.url + "whip/room", OFFER.encode(), {"Content-Type": "application/sdp"})
        try:
            with opener.open(request, timeout=SECONDS) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def test_media_alone_and_http_alone(self):
        with Server(**self.arguments(self.tcp, self.udp)) as server:
            self.assertEqual(server.get("healthz")[0], 200)
        with Server("--ice-candidates", "udp", **self.arguments(self.http)) as server:
            self.assertIn(f":{self.http.getsockname()[1]}/", server.url)

    def test_sockets_of_another_process_are_left_alone(self):
        passed = self.arguments(self.http)
        passed["wrapper"][2] = passed["wrapper"][2].replace("$$", "1")
        with Server(**passed) as server:
            self.assertNotIn(f":{self.http.getsockname()[1]}/", server.url)

    def test_what_is_of_no_use_is_named(self):
        def refused(*sockets, options=()):
            passed = self.arguments(*sockets)
            done = subprocess.run([*passed["wrapper"], BINARY, *options], pass_fds=passed["pass_fds"], timeout=SECONDS,
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1)
            return done.stderr

        self.assertIn("no socket of TCP was passed", refused(self.udp))
        self.assertIn("too many sockets of TCP", refused(self.http, self.tcp))
        for option, value in (("--port", "8080"), ("--host", "127.0.0.1"), ("--ice-port", "5004")):
            said = refused(self.udp, self.tcp, self.http, options=(option, value))
            self.assertIn(f"{option} has no effect", said)
        with tempfile.TemporaryFile() as file:
            self.assertIn("descriptor 4 is no socket", refused(self.http, file))


class NotifyTest(unittest.TestCase):
    """Type=notify: systemd waits until the server is ready."""

    def test_systemd_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            # A socket in the file system, and one of the abstract namespace.
            for name in (os.path.join(folder, "notify"), "@" + os.path.join(folder, "notify")):
                with NotifySocket(name) as systemd, Server(env=systemd.environment) as server:
                    self.assertEqual(systemd.told(), "READY=1")
                    self.assertEqual(server.get("healthz")[0], 200)
                    server.process.terminate()
                    self.assertEqual(systemd.told(), "STOPPING=1")

    def test_a_socket_that_is_not_there_is_no_error(self):
        for name in ("/nowhere/notify", "", "x" * 200):
            with Server(env={**os.environ, "NOTIFY_SOCKET": name}) as server:
                self.assertEqual(server.get("healthz")[0], 200)


@unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not here")
class UnitTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        service = (FOLDER / "operations" / "sluice-sfu.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/usr/local/bin/sluice-sfu ", service)
        service = service.replace("/usr/local/bin/sluice-sfu", BINARY)
        self.units = [os.path.join(self.folder.name, name) for name in ("sluice-sfu.service", "sluice-sfu.socket")]
        for unit, text in zip(self.units, (service, (FOLDER / "operations" / "sluice-sfu.socket").read_text(encoding="utf-8"))):
            with open(unit, "w", encoding="utf-8") as file:
                file.write(text)

    def analyze(self, *arguments):
        done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_systemd_takes_them(self):
        code, said = self.analyze("verify", "--man=no", "--recursive-errors=no", *self.units)
        self.assertEqual((code, said), (0, ""))

    def test_the_service_is_confined(self):
        code, said = self.analyze("security", "--offline=true", "--threshold=15", self.units[0])
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
