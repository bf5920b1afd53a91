#!/usr/bin/python3
"""sluice-sfu as a service: its configuration file, its log, HTTPS, proxies, and its metrics as Prometheus' own library
reads them. The environment is that of sfu_server.py.
"""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import unittest
import urllib.request
import warnings

from prometheus_client.parser import text_string_to_metric_families
from sfu_server import BINARY, FOLDER, LOOPBACK, SECONDS, Server, run


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
