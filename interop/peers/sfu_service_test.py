#!/usr/bin/python3
"""sluice-sfu as a service: its configuration file, its log, HTTPS, the sockets that systemd opens for it, and its
metrics as Prometheus' own library reads them.

The environment variable SLUICE_SFU_BINARY names the server, SLUICE_SOURCE_DIR the tree with its example files.
"""

import fcntl
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request
import warnings

from free_ports import free_port
from prometheus_client.parser import text_string_to_metric_families

BINARY = os.environ["SLUICE_SFU_BINARY"]
FOLDER = pathlib.Path(os.environ["SLUICE_SOURCE_DIR"]) / "interop/sfu"
SECONDS = 20  # limits a failing test
LOOPBACK = ["--ice-address", "127.0.0.1"]
OFFER = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "c=IN IP4 0.0.0.0", "a=mid:0", "a=sendonly", "a=rtcp-mux", "a=rtpmap:111 opus/48000/2", "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789abcdef01234567", "a=setup:actpass", "a=fingerprint:sha-256 " + ":".join(["AB"] * 32), ""])


def run(*arguments, **environment):
    """The server's exit code and what it says, where it should not start."""
    done = subprocess.run([BINARY, *arguments], env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


class NotifySocket:
    """What a server tells systemd, by NOTIFY_SOCKET (sd_notify(3)), until the end of a with statement."""

    def __init__(self, name):
        self.name = name
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.settimeout(SECONDS)

    def __enter__(self):
        self.socket.bind(self.name.replace("@", "\0", 1))
        return self

    def __exit__(self, *_):
        self.socket.close()

    @property
    def environment(self):
        return {**os.environ, "NOTIFY_SOCKET": self.name}

    def told(self):
        return self.socket.recv(1000).decode()


class Server:
    """A server until the end of a with statement. Then `log` has its lines."""

    def __init__(self, *arguments, wrapper=(), **options):
        self.process = subprocess.Popen([*wrapper, BINARY, *LOOPBACK, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, **options)
        self.log = []

    def __enter__(self):
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise AssertionError(f"the server did not start: {self.process.stderr.read()}")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        _, log = self.process.communicate(timeout=SECONDS)
        self.log = log.splitlines()
        if self.process.returncode != 0:
            raise AssertionError(f"the server ended with {self.process.returncode}: {log}")

    def get(self, path, **headers):
        """Status, headers and body."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urllib.request.Request(self.url + path, headers=headers), timeout=SECONDS) as response:
                return response.status, response.headers, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()


class MetricsTest(unittest.TestCase):
    def test_prometheus_reads_them(self):
        with Server() as server:
            status, headers, text = server.get("metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        families = {family.name: family for family in text_string_to_metric_families(text)}
        self.assertEqual(len(families), text.count("# TYPE "))
        for family in families.values():
            self.assertIn(family.type, ("counter", "gauge"))
            self.assertTrue(family.documentation, family.name)
            self.assertTrue(family.samples, family.name)
            self.assertRegex(family.name, "^(sluice_sfu|process)_[a-z0-9_]+$")
            labels = [tuple(sample.labels.items()) for sample in family.samples]
            self.assertEqual(len(labels), len(set(labels)), family.name)
            for sample in family.samples:
                self.assertGreaterEqual(sample.value, 0)
        self.assertGreater(families["process_resident_memory_bytes"].samples[0].value, 1e6)
        self.assertIn(families["process_open_fds"].samples[0].value, range(5, 100))
        self.assertLess(families["sluice_sfu_media_thread_lag_seconds"].samples[0].value, SECONDS)

    def test_their_descriptors_are_those_of_the_process(self):
        with Server() as server:
            open_now = len(os.listdir(f"/proc/{server.process.pid}/fd"))
            _, _, text = server.get("metrics")
        counted = re.search("^process_open_fds ([0-9]+)$", text, re.MULTILINE)
        self.assertEqual(int(counted[1]), open_now + 1, "one more: the connection of the request")


class ConfigTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, *lines):
        path = os.path.join(self.folder.name, "sfu.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def refused(self, *lines):
        """What the server says about a file."""
        code, said = run("--config", self.file(*lines))
        self.assertNotEqual(code, 0)
        self.assertNotIn("http://", said)
        return said

    def test_the_example_has_every_option(self):
        example = FOLDER / "operations" / "sluice-sfu.toml"
        _, help_text = run("--help")
        options = set(re.findall("^  (?:-h,)?--([a-z-]+)", help_text, re.MULTILINE)) - {"help", "config"}
        self.assertIn("max-rooms", options)
        lines = example.read_text(encoding="utf-8").splitlines()
        shown = {match[1] for match in (re.match("#?([a-z-]+) = ", line) for line in lines) if match}
        self.assertEqual(shown, options)

    def test_the_example_is_taken(self):
        with Server("--config", str(FOLDER / "operations" / "sluice-sfu.toml")) as server:
            self.assertEqual(server.get("healthz")[0], 200)

    def test_every_line_of_the_example_would_be_taken(self):
        lines = (FOLDER / "operations" / "sluice-sfu.toml").read_text(encoding="utf-8").splitlines()
        shown = [line[1:] for line in lines if re.match("#[a-z-]+ = ", line)]
        self.assertGreater(len(shown), 10)
        for line in shown:
            # Nobody's address, so that it does not start.
            line = 'host = "192.0.2.1"' if line.startswith("host") else line + '\nhost = "192.0.2.1"'
            self.assertNotIn("sfu.toml:", self.refused(line), line)

    def test_the_command_line_comes_before_the_file_and_the_file_before_the_environment(self):
        config = self.file('admin-token = "file"', 'host = "127.0.0.2"')
        environment = {**os.environ, "SLUICE_SFU_ADMIN_TOKEN": "environment", "SLUICE_SFU_WATCH_TOKEN": "watch"}
        with Server("--config", config, "--host", "127.0.0.3", env=environment) as server:
            self.assertIn("//127.0.0.3:", server.url)
            self.assertEqual(server.get("sessions", Authorization="Bearer file")[0], 200)
            self.assertEqual(server.get("sessions", Authorization="Bearer environment")[0], 401)

    def test_a_list_has_several_values(self):
        config = self.file('announce = ["192.0.2.1:5004", "192.0.2.2:5004"]  # of a NAT')
        with Server("--config", config):
            pass
        said = self.refused('announce = ["192.0.2.1:5004", "192.0.2.2:x"]')
        self.assertIn("192.0.2.2:x", said)

    def test_errors_name_file_and_line(self):
        for line, what in {
            "max-roms = 3": "there is no option max-roms",
            "help = true": "there is no option help",
            'config = "other"': "there is no option config",
            "max-rooms = 0": "--max-rooms: Value 0 not in range",
            "max-rooms = 65536": "--max-rooms",
            "max-rooms = many": "--max-rooms",
            "max-rooms = 1.5": "--max-rooms",
            "max-rooms = [1, 2]": "--max-rooms",
            "silence = 0": "--silence",
            'ice-candidates = "sctp"': "--ice-candidates",
            'log-level = "loud"': "--log-level",
            'publish-token = ""': "--publish-token",
            'publish-token = "two words"': "--publish-token",
            'publish-token = "schön"': "--publish-token",
            "publish-token": "not of the form KEY = VALUE",
            'publish-token = "a#b"': "not of the form KEY = VALUE",
            r'publish-token = "a\"b"': "not of the form KEY = VALUE",
            'publish-token = "a': "not of the form KEY = VALUE",
            "max-rooms = 1 2": "not of the form KEY = VALUE",
            "max-rooms = 1, 2": "not of the form KEY = VALUE",
            "[limits]": "not of the form KEY = VALUE",
            "= 3": "not of the form KEY = VALUE",
            "host = ": "not of the form KEY = VALUE",
            'host = "127.0.0.1"': "the option host stands there twice",
        }.items():
            with self.subTest(line):
                said = self.refused("# a comment", 'host = "127.0.0.1"', "", line)
                self.assertIn("sfu.toml:4: ", said)
                self.assertIn(what, said)

    def test_a_missing_file_is_named(self):
        code, said = run("--config", "/nowhere/sfu.toml")
        self.assertNotEqual(code, 0)
        self.assertIn("/nowhere/sfu.toml", said)


class HttpsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.certificate, cls.key = cls.make("server")
        _, cls.other_key = cls.make("other")
        _, cls.rsa_key = cls.make("rsa", "rsa:2048")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder.name, name)

    @classmethod
    def make(cls, name, kind="ec"):
        """The files of a certificate and of its key."""
        files = cls.path(name + ".pem"), cls.path(name + ".key")
        curve = ["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []
        subprocess.run(["openssl", "req", "-x509", "-newkey", kind, *curve, "-nodes", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True)
        return files

    def serve(self):
        return Server("--https-certificate", self.certificate, "--https-key", self.key)

    def context(self, **versions):
        made = ssl.create_default_context(cafile=self.certificate)
        for name, version in versions.items():
            setattr(made, name, version)
        return made

    def test_its_certificate_is_shown(self):
        with self.serve() as server:
            self.assertTrue(server.url.startswith("https://127.0.0.1:"), server.url)
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = self.context(minimum_version=version, maximum_version=version)
                with urllib.request.urlopen(server.url + "healthz", context=context, timeout=SECONDS) as response:
                    self.assertEqual(response.read(), b"The server is up.\n")

    def test_a_connection_takes_several_requests(self):
        with self.serve() as server:
            port = int(server.url.rstrip("/").rsplit(":", 1)[1])
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=self.context(), timeout=SECONDS)
            # An offer of more than a record of TLS, and pages of several.
            for method, path, body in (("GET", "/overview.js", None), ("POST", "/whip/room", "v=0\r\n" * 10000),
                                       ("GET", "/sessions", None)):
                connection.request(method, path, body, {"Content-Type": "application/sdp"})
                response = connection.getresponse()
                self.assertEqual(response.status, 400 if body else 200)
                self.assertGreater(len(response.read()), 20)
            connection.close()

    def test_others_harm_nobody(self):
        with self.serve() as server:
            port = int(server.url.rstrip("/").rsplit(":", 1)[1])
            silent = socket.create_connection(("127.0.0.1", port))
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as plain:
                plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.assertNotIn(b"HTTP/", plain.recv(100))
            with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as old:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    context.maximum_version = ssl.TLSVersion.TLSv1_1
                with self.assertRaises(ssl.SSLError):
                    context.wrap_socket(old, server_hostname="127.0.0.1")
            with urllib.request.urlopen(server.url + "healthz", context=self.context(), timeout=SECONDS) as response:
                self.assertEqual(response.status, 200)
            silent.close()

    def test_bad_files_are_named(self):
        empty = self.path("empty")
        open(empty, "w", encoding="utf-8").close()
        locked = self.path("locked")
        subprocess.run(["openssl", "ec", "-in", self.key, "-aes128", "-passout", "pass:x", "-out", locked], check=True,
                       capture_output=True)
        for certificate, key, what in (
            ("/nowhere", self.key, "/nowhere: No such file or directory"),
            (self.certificate, "/nowhere", "/nowhere: No such file or directory"),
            (self.folder.name, self.key, f"{self.folder.name}: Is a directory"),
            (empty, self.key, f"{empty}: no certificate in PEM"),
            (self.key, self.key, f"{self.key}: no certificate in PEM"),
            (self.certificate, empty, f"{empty}: no private key in PEM"),
            (self.certificate, self.certificate, f"{self.certificate}: no private key in PEM"),
            (self.certificate, locked, f"{locked}: no private key in PEM without a passphrase"),
            (self.certificate, self.other_key, f"{self.other_key}: not the key of the certificate in {self.certificate}"),
            (self.certificate, self.rsa_key, f"{self.rsa_key}: not the key of the certificate in {self.certificate}"),
        ):
            with self.subTest(what):
                code, said = run("--https-certificate", certificate, "--https-key", key)
                self.assertEqual(code, 1)
                self.assertIn(what, said)

    def test_files_are_read_again_on_sighup(self):
        certificate, key = self.path("own.pem"), self.path("own.key")

        def install(name):
            shutil.copy(self.path(name + ".pem"), certificate)
            shutil.copy(self.path(name + ".key"), key)

        def shown():
            return ssl.get_server_certificate(("127.0.0.1", port)).strip()

        def content(name):
            with open(self.path(name + ".pem"), encoding="utf-8") as file:
                return file.read().strip()

        def reload():
            server.process.send_signal(signal.SIGHUP)
            return json.loads(server.process.stderr.readline())

        install("server")
        with Server("--https-certificate", certificate, "--https-key", key, "--log-format", "json") as server:
            self.assertEqual(json.loads(server.process.stderr.readline())["event"], "started")
            port = int(server.url.rstrip("/").rsplit(":", 1)[1])
            old = http.client.HTTPSConnection("127.0.0.1", port, context=self.context(), timeout=SECONDS)
            old.connect()
            self.assertEqual(shown(), content("server"))
            install("rsa")
            self.assertEqual(shown(), content("server"), "not before the signal")
            self.assertEqual(reload()["event"], "certificate_loaded")
            self.assertEqual(shown(), content("rsa"))
            shutil.copy(self.path("other.key"), key)
            refused = reload()
            self.assertEqual((refused["event"], refused["level"]), ("certificate_refused", "error"))
            self.assertIn("not the key of the certificate", refused["reason"])
            self.assertEqual(shown(), content("rsa"), "what it had")
            old.close()

    def test_both_files_are_needed(self):
        for option in ("--https-certificate", "--https-key"):
            code, said = run(option, self.certificate)
            self.assertEqual(code, 1)
            self.assertIn("need each other", said)


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


class ProxyTest(unittest.TestCase):
    def test_clients_of_a_proxy_have_their_own_limit(self):
        with Server("--trusted-proxy", "127.0.0.1", "::1/128", "--max-sessions-per-address", "1", "--log-format", "json",
                    "--log-level", "debug") as server:
            for header in ({"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": 'for="192.0.2.1:80"'},
                           {"X-Forwarded-For": "198.51.100.9, 192.0.2.1"}):
                self.assertEqual(server.get("whep/room", **header)[0], 200)
            self.assertEqual(server.get("sessions", **{"X-Forwarded-For": "127.0.0.1"})[0], 403)
        addresses = [json.loads(line).get("address") for line in server.log]
        self.assertEqual(addresses.count("192.0.2.1"), 3)

    def test_bad_proxies_are_named(self):
        code, said = run("--trusted-proxy", "10.0.0.1/8")
        self.assertNotEqual(code, 0)
        self.assertIn("10.0.0.1/8: bits are set after the prefix", said)


class LogTest(unittest.TestCase):
    def test_lines_have_a_level(self):
        for level, expected in {"error": [], "warning": [], "info": ["started", "stopping"],
                                "debug": ["started", "request", "stopping"]}.items():
            with Server("--log-level", level, "--log-format", "json") as server:
                server.get("healthz")
            # An answer is logged after it was sent, so its line may come after those of the end.
            self.assertCountEqual([json.loads(line)["event"] for line in server.log], expected, level)

    def test_logfmt_is_the_default(self):
        with Server() as server:
            pass
        url = re.escape(server.url)
        self.assertRegex(server.log[0], rf"^time=20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z level=info event=started url={url}$")

    def test_the_journal_gets_priorities(self):
        """systemd names the stream that it has connected by device and inode."""
        with tempfile.TemporaryFile() as stream:
            status = os.fstat(stream.fileno())
            journal = {**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
            process = subprocess.Popen([BINARY, *LOOPBACK], stdout=subprocess.PIPE, stderr=stream, env=journal)
            process.stdout.readline()
            process.terminate()
            process.communicate(timeout=SECONDS)
            stream.seek(0)
            self.assertRegex(stream.read().decode(), "^<6>time=[^\n]* event=started [^\n]*\n<6>time=[^\n]* event=stopping\n$")

    def test_what_keeps_it_from_starting_is_logged(self):
        code, said = run("--ice-address", "nowhere", "--log-format", "json", "--log-level", "error")
        self.assertEqual(code, 1)
        line = json.loads(said)
        self.assertEqual((line["level"], line["event"]), ("error", "not_started"))
        self.assertIn("nowhere", line["reason"])


if __name__ == "__main__":
    unittest.main()
