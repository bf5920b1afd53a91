#!/usr/bin/env python3
"""Tests sluice-dtls-server and sluice-dtls-client with each other and with openssl's s_client and s_server, on loopback.

Environment variables name the programs: SLUICE_DTLS_SERVER, SLUICE_DTLS_CLIENT, OPENSSL.
"""

import hashlib
import itertools
import pathlib
import subprocess
import tempfile
import unittest

from tools_test_case import CLIENT, OPENSSL, PSK, SECONDS, SERVER, Process, Relay, ToolsTestCase


class OneWayRelay(Relay):
    """Carries datagrams between a client and a server until the server's flight; after it only to the client."""

    HELLO_RETRY_REQUEST = 400  # bytes; the server's flight is longer

    def __init__(self, server):
        super().__init__(server)
        self.carries = True

    def on_client(self, datagram):
        if self.carries:
            super().on_client(datagram)

    def on_server(self, datagram):
        self.carries = self.carries and len(datagram) < self.HELLO_RETRY_REQUEST
        super().on_server(datagram)


class Nat(Relay):
    """Carries datagrams between a client that changes its port and a server that sees one address."""

    CID_BIT = 0x10  # of the unified header (RFC 9147 section 4)

    def __init__(self, server, id_size):
        super().__init__(server)
        self.id_size = id_size
        self.ports, self.ids = set(), set()

    def id_of(self, datagram):
        if datagram[0] == 25:  # tls12_cid (RFC 9146 section 4)
            return datagram[11:11 + self.id_size]
        if datagram[0] >> 5 == 1 and datagram[0] & self.CID_BIT:
            return datagram[1:1 + self.id_size]
        return None

    def on_client(self, datagram):
        self.ports.add(self.client[1])
        connection_id = self.id_of(datagram)
        if connection_id is not None:
            self.ids.add(connection_id)
        super().on_client(datagram)


class Tools(ToolsTestCase):
    def server(self, *options):
        server = self.enter(Process(SERVER, "--accept", "127.0.0.1:0", *options))
        return server, server.wait_for("ACCEPT").split()[-1]

    def talk(self, address, text, *options):
        return subprocess.run([CLIENT, "--connect", address, *options], input=text, capture_output=True,
                              text=True, timeout=SECONDS)

    def echo(self, server_options, client_options, expected):
        server, address = self.server("--naccept", "1", *server_options)
        text = "one line\nand another\nand one without an end"
        client = self.talk(address, text, *client_options)
        self.assertEqual((client.returncode, client.stdout), (0, text), client.stderr)
        self.assertIn(expected, client.stderr)
        self.assertEqual(server.finish(), 0)
        return client, server

    def test_echo(self):
        self.echo([], [], "DTLS 1.3")

    def test_echo_in_dtls12(self):
        self.echo([], ["--dtls1_2", "--cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
                  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")

    def test_echo_with_a_psk(self):
        self.echo(["--psk", PSK], ["--psk", PSK], "PSK")
        self.echo(["--psk", PSK], ["--psk", PSK, "--dtls1_2", "--cipher", "ECDHE-PSK-CHACHA20-POLY1305"],
                  "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256")

    def test_what_is_asked_for(self):
        self.echo(["--dtls1_3"], ["--ciphersuites", "TLS_CHACHA20_POLY1305_SHA256", "--groups", "P-384"],
                  "TLS_CHACHA20_POLY1305_SHA256, secp384r1")
        self.echo(["--Verify", "1"], [], "DTLS 1.3")

    def test_names_and_protocols(self):
        for version in ("--dtls1_2", "--dtls1_3"):
            _, server = self.echo(["--alpn", "other,coap"], [version, "--alpn", "coap,other", "--servername", "a.example"],
                                  "server name a.example, ALPN other")
            self.assertIn("server name a.example, ALPN other", "".join(server.output))
        _, address = self.server("--servername", "a.example")
        self.assertEqual(self.talk(address, "hello\n", "--servername", "a.example").stdout, "hello\n")
        self.assertEqual(self.talk(address, "hello\n", "--servername", "b.example").stdout, "")
        _, address = self.server("--alpn", "coap")
        self.assertIn("no_application_protocol", self.talk(address, "", "--alpn", "webrtc").stderr)

    def test_both_export_the_same(self):
        export = ["--keymatexport", "EXPORTER_test", "--keymatexportlen", "32"]
        client, server = self.echo(export, export, "Keying material: ")
        keys = [line for line in client.stderr.splitlines() if line.startswith("Keying material: ")]
        self.assertEqual(len(keys[0]), len("Keying material: ") + 64)
        self.assertIn(keys[0], "".join(server.output))

    def test_a_wrong_psk_fails(self):
        _, address = self.server("--psk", PSK, "--quiet")
        client = self.talk(address, "", "--psk", "00" * 16)
        self.assertEqual(client.returncode, 2)
        self.assertIn("decrypt_error", client.stderr)

    def test_a_wrong_certificate_fails(self):
        _, address = self.server()
        client = self.talk(address, "", "--fingerprint", "sha-256", ":".join(["00"] * 32))
        self.assertEqual(client.returncode, 2)
        self.assertIn("bad_certificate", client.stderr)

    def test_raw_public_keys(self):
        for version in ("--dtls1_2", "--dtls1_3"):
            client, server = self.echo(["--rpk", "--Verify", "1"], [version, "--rpk"], "raw public key")
            self.assertIn("server's raw public key: sha-256 ", client.stderr)
            self.assertIn("raw public key", "".join(server.output))
        with tempfile.TemporaryDirectory() as folder:
            key = str(pathlib.Path(folder) / "key.pem")
            subprocess.run([OPENSSL, "genpkey", "-algorithm", "ed25519", "-out", key], check=True, timeout=SECONDS)
            public = subprocess.run([OPENSSL, "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                                    capture_output=True, timeout=SECONDS).stdout
            server, address = self.server("--rpk", "--key", key)
            expected = ["--rpk", "--fingerprint", "sha-256"]
            right = self.talk(address, "hello\n", *expected, hashlib.sha256(public).digest().hex(":"))
            self.assertEqual((right.returncode, right.stdout), (0, "hello\n"), right.stderr)
            wrong = self.talk(address, "hello\n", *expected, ":".join(["00"] * 32))
            self.assertEqual((wrong.returncode, wrong.stdout), (2, ""))
            self.assertIn("unsupported_certificate", self.talk(address, "hello\n", "--handshake_timeout", "5").stderr)

    def test_nobody_there(self):
        # A server that can't agree with the client stands for a missing one: its open socket keeps the port from
        # others.
        _, address = self.server("--dtls1_2")
        client = self.talk(address, "", "--dtls1_3", "--handshake_timeout", "10")
        self.assertEqual(client.returncode, 2)

    def test_a_last_flight_that_nobody_acknowledges_is_a_failure(self):
        _, address = self.server("--dtls1_3")
        relayed = self.enter(OneWayRelay(address)).address
        client = self.talk(relayed, "hello\n", "--wait", "0", "--handshake_timeout", "1")
        self.assertEqual(client.returncode, 2, client.stderr)
        self.assertIn("DTLS 1.3", client.stderr)
        self.assertIn("handshake timed out", client.stderr)

    def test_a_closed_port(self):
        # Port 1 (tcpmux) has no UDP service.
        client = self.talk("127.0.0.1:1", "", "--handshake_timeout", "1")
        self.assertEqual(client.returncode, 2)
        self.assertIn("connection refused", client.stderr)

    def test_a_certificate_is_no_psk(self):
        _, address = self.server()
        client = self.talk(address, "secret\n", "--psk", PSK)
        self.assertEqual((client.returncode, client.stdout), (2, ""))
        self.assertIn("instead of using --psk", client.stderr)
        self.assertIn("accepted unverified", self.talk(address, "hello\n").stderr)

    def test_srtp_and_key_updates(self):
        profile = ["--use_srtp", "SRTP_AEAD_AES_128_GCM"]
        self.echo(profile, profile, "SRTP_AEAD_AES_128_GCM")
        self.echo([], ["--dtls1_3", "--key_update", "1"], "DTLS 1.3")

    def test_options_that_mean_nothing(self):
        for options in (["--psk", "xyz"], ["--cert", "/nowhere"], ["--cipher", "NULL"],
                        ["--dtls1_3", "--cipher", "PSK-AES128-CCM8", "--ciphersuites", "NULL"]):
            with self.subTest(options=options):
                client = self.talk("127.0.0.1:1", "", *options)
                self.assertEqual(client.returncode, 1, client.stderr)
        self.assertGreater(self.talk("127.0.0.1:1", "", "--no-such-option").returncode, 2)

    def test_key_log(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "keys")
            self.echo([], ["--keylogfile", str(file)], "DTLS 1.3")
            self.assertIn("CLIENT_TRAFFIC_SECRET_0", file.read_text())

    def test_resumption(self):
        with tempfile.TemporaryDirectory() as folder:
            file = str(pathlib.Path(folder, "session"))
            _, address = self.server()
            first = self.talk(address, "", "--sess_out", file)
            self.assertEqual(first.returncode, 0, first.stderr)
            self.assertNotIn("resumed", first.stderr)
            second = self.talk(address, "hello\n", "--sess_in", file)
            self.assertEqual((second.returncode, second.stdout), (0, "hello\n"), second.stderr)
            self.assertIn("resumed", second.stderr)
            _, other = self.server("--no_ticket")
            self.assertNotIn("resumed", self.talk(other, "", "--sess_in", file).stderr)
        self.assertEqual(self.talk(address, "", "--sess_in", "/nowhere").returncode, 1)

    def test_resumption_in_dtls12(self):
        with tempfile.TemporaryDirectory() as folder:
            file = str(pathlib.Path(folder, "session"))
            for server_options in ([], ["--no_ticket"], ["--no_ticket", "--threads", "2"]):
                _, address = self.server("--dtls1_2", *server_options)
                self.assertNotIn("resumed", self.talk(address, "", "--sess_out", file).stderr)
                for _ in range(2):
                    again = self.talk(address, "hello\n", "--sess_in", file, "--sess_out", file)
                    self.assertEqual((again.returncode, again.stdout), (0, "hello\n"), again.stderr)
                    self.assertIn("DTLS 1.2", again.stderr)
                    self.assertIn("resumed", again.stderr)
            _, other = self.server("--dtls1_2", "--no_ticket", "--no_cache")
            self.assertNotIn("resumed", self.talk(other, "", "--sess_in", file).stderr)

    def test_connection_ids(self):
        for version in ("--dtls1_2", "--dtls1_3"):
            _, server = self.echo(["--cid", "5"], [version, "--cid", "20"], "connection IDs of 20 bytes here and 5 there")
            self.assertIn("connection IDs of 5 bytes here and 20 there", "".join(server.output))
            self.echo(["--cid", "8"], [version, "--cid", "0"], "connection IDs of 0 bytes here and 8 there")
            for ours, theirs in (["--cid", "8"], []), ([], ["--cid", "8"]), (["--cid", "0"], ["--cid", "0"]):
                client, _ = self.echo(ours, [version, *theirs], "DTLS 1.")
                self.assertNotIn("connection IDs", client.stderr)
        self.assertGreater(self.talk("127.0.0.1:1", "", "--cid", "256").returncode, 2)

    def test_return_routability_checks(self):
        checks = "return routability check"
        for version in ("--dtls1_2", "--dtls1_3"):
            for kind in ("basic", "enhanced"):
                self.echo(["--cid", "8", "--rrc", kind], [version, "--cid", "0"], checks)
            client, _ = self.echo(["--cid", "8", "--rrc", "none"], [version, "--cid", "0"], "DTLS 1.")
            self.assertNotIn(checks, client.stderr)
        for options in (["--rrc", "basic"], ["--cid", "8", "--rrc", "other"]):
            self.assertGreater(self.talk("127.0.0.1:1", "", *options).returncode, 2)

    def test_a_client_goes_on_from_other_ports(self):
        for version in ("--dtls1_2", "--dtls1_3"):
            with self.subTest(version=version):
                _, address = self.server("--cid", "8")
                nat = self.enter(Nat(address, id_size=8))
                client = self.enter(Process(CLIENT, "--connect", nat.address, version, "--cid", "0", "--rebind-every",
                                            "0.1", "--wait", "1"))
                while len(nat.ports) < 4:
                    client.wait_for("now at 127.0.0.1:")
                    client.say("still here\n")
                self.assertEqual(client.finish(), 0)
                self.assertIn("still here\n", "".join(client.output))
                if version == "--dtls1_2":
                    self.assertEqual(len(nat.ids), 1)
                else:
                    self.assertGreater(len(nat.ids), 1)
                    self.assertIn("with another connection ID", "".join(client.output))
        self.assertGreater(self.talk("127.0.0.1:1", "", "--rebind-every", "1").returncode, 2)

    def test_a_client_reaches_its_connection_from_other_ports(self):
        for version, check in itertools.product(("--dtls1_2", "--dtls1_3"), ("none", "basic", "enhanced")):
            with self.subTest(version=version, check=check):
                server, address = self.server("--cid", "8", "--rrc", check)
                client = self.enter(Process(CLIENT, "--connect", address, version, "--cid", "0", "--rebind-every",
                                            "1", "--wait", "1"))
                for number in range(3):
                    client.wait_for("now at 127.0.0.1:")
                    # Its echo is lost: the server still has to check the new address.
                    client.say("moved\n")
                    server.wait_for("moved to 127.0.0.1:")
                    client.say(f"line {number}\n")
                    client.wait_for(f"line {number}")
                self.assertEqual(client.finish(), 0)

    def test_a_client_reaches_its_thread_from_other_ports(self):
        # By their addresses, 12 datagrams would all reach one of four threads with a probability of 2^-24.
        for version in ("--dtls1_2", "--dtls1_3"):
            with self.subTest(version=version):
                server, address = self.server("--threads", "4", "--cid", "8")
                nat = self.enter(Nat(address, id_size=8))
                client = self.enter(Process(CLIENT, "--connect", nat.address, version, "--cid", "0"))
                client.wait_for("connection IDs of 0 bytes here and 8 there")
                for number in range(12):
                    nat.change_port()
                    client.say("moved\n")
                    server.wait_for("moved to 127.0.0.1:")
                    client.say(f"line {number}\n")
                    client.wait_for(f"line {number}")
                self.assertEqual(client.finish(), 0)
        for options in (["--threads", "2", "--cid", "5"], ["--threads", "2", "--cid", "21"], ["--threads", "33", "--cid", "8"]):
            with self.subTest(options=options):
                refused = subprocess.run([SERVER, "--accept", "127.0.0.1:0", *options], capture_output=True, timeout=SECONDS)
                self.assertEqual(refused.returncode, 1)

    def test_many_on_several_threads(self):
        server, address = self.server("--threads", "2")
        for _ in range(6):
            client = self.talk(address, "hello\n", "--quiet")
            self.assertEqual((client.returncode, client.stdout, client.stderr), (0, "hello\n", ""))
        server.process.terminate()
        self.assertEqual(server.finish(), 0)

    # ---- openssl

    def test_openssl_client(self):
        server, address = self.server("--naccept", "1")
        client = self.enter(Process(OPENSSL, "s_client", "-dtls1_2", "-connect", address))
        client.wait_for("Verify return code")
        client.say("is there an echo?\n")
        client.wait_for("is there an echo?")
        self.assertEqual(client.finish(), 0)
        self.assertEqual(server.finish(), 0)

    def test_openssl_client_with_a_certificate(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = self.make_certificate(folder)
            server, address = self.server("--Verify", "1", "--cert", certificate, "--key", key)
            client = self.enter(Process(OPENSSL, "s_client", "-dtls1_2", "-connect", address, "-cert",
                                                certificate, "-key", key))
            client.wait_for("Verify return code")
            client.say("is there an echo?\n")
            client.wait_for("is there an echo?")
            self.assertEqual(client.finish(), 0)

    def test_authorities(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = self.make_certificate(folder)
            shown = ["--cert", certificate, "--key", key]
            verified = ["--CAfile", certificate, "--verify_hostname", "localhost"]
            for version in ("--dtls1_2", "--dtls1_3"):
                self.echo(["--Verify", "1", "--CAfile", certificate, *shown], [version, *verified, *shown], "DTLS 1.")
                self.echo(["--verify", "1", "--CAfile", certificate, *shown], [version, *verified, *shown], "DTLS 1.")
            server, address = self.server("--Verify", "1", "--CAfile", certificate, *shown)
            unknown = self.talk(address, "a line", *verified)
            self.assertNotEqual(unknown.returncode, 0, "a certificate of its own making")
            elsewhere = self.talk(address, "a line", "--CAfile", certificate, "--verify_hostname", "example.org", *shown)
            self.assertNotEqual(elsewhere.returncode, 0)
            self.assertIn("ostname", elsewhere.stderr)

    def test_openssl_with_a_psk(self):
        # The suite that CoAP requires (RFC 7252). OpenSSL's default security level excludes tags of 8 bytes.
        options = ["-psk", PSK, "-psk_identity", "Client_identity", "-cipher", "PSK-AES128-CCM8:@SECLEVEL=0"]
        server, address = self.server("--naccept", "1", "--psk", PSK)
        client = self.enter(Process(OPENSSL, "s_client", "-dtls1_2", "-connect", address, *options))
        client.wait_for("PSK-AES128-CCM8")
        client.say("is there an echo?\n")
        client.wait_for("is there an echo?")
        self.assertEqual(client.finish(), 0)
        self.assertEqual(server.finish(), 0)
        theirs = self.enter(Process(OPENSSL, "s_server", "-dtls1_2", "-nocert", "-accept", "127.0.0.1:0", "-psk_hint",
                                    "which?", *options))
        ours = self.enter(Process(CLIENT, "--connect", theirs.wait_for("ACCEPT").split()[-1], "--psk", PSK))
        ours.wait_for("TLS_PSK_WITH_AES_128_CCM_8")
        ours.say("anybody there?\n")
        theirs.wait_for("anybody there?")
        self.assertEqual(ours.finish(), 0)

    def test_openssl_client_resumes(self):
        for server_options in ([], ["--no_ticket"]):
            with self.subTest(options=server_options), tempfile.TemporaryDirectory() as folder:
                file = str(pathlib.Path(folder, "session"))
                _, address = self.server("--dtls1_2", *server_options)
                for options, said in (["-sess_out", file], "New"), (["-sess_in", file], "Reused"):
                    client = self.enter(Process(OPENSSL, "s_client", "-dtls1_2", "-connect", address, *options))
                    client.wait_for(said + ", TLSv1.2")
                    client.wait_for("Verify return code")
                    client.say("is there an echo?\n")
                    client.wait_for("is there an echo?")
                    self.assertEqual(client.finish(), 0)

    def test_openssl_server_resumes(self):
        for server_options in ([], ["-no_ticket"]):
            with self.subTest(options=server_options), tempfile.TemporaryDirectory() as folder:
                certificate, key = self.make_certificate(folder)
                file = str(pathlib.Path(folder, "session"))
                server = self.enter(Process(OPENSSL, "s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-cert",
                                            certificate, "-key", key, *server_options))
                address = server.wait_for("ACCEPT").split()[-1]
                for options in (["--sess_out", file], ["--sess_in", file]):
                    client = self.enter(Process(CLIENT, "--connect", address, *options))
                    client.wait_for("resumed" if options[0] == "--sess_in" else "DTLS 1.2")
                    client.say("anybody there?\n")
                    server.wait_for("anybody there?")
                    self.assertEqual(client.finish(), 0)

    def test_openssl_server_exports_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = self.make_certificate(folder)
            server = self.enter(Process(OPENSSL, "s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-cert", certificate,
                                        "-key", key, "-keymatexport", "EXPORTER_test", "-keymatexportlen", "32"))
            address = server.wait_for("ACCEPT").split()[-1]
            client = self.enter(Process(CLIENT, "--connect", address, "--keymatexport", "EXPORTER_test",
                                        "--keymatexportlen", "32"))
            ours = client.wait_for("Keying material: ").split()[-1]
            self.assertEqual(len(ours), 64)
            server.wait_for("Keying material: " + ours)

    def test_openssl_server(self):
        with tempfile.TemporaryDirectory() as folder:
            certificate, key = self.make_certificate(folder)
            server = self.enter(Process(OPENSSL, "s_server", "-dtls1_2", "-listen", "-accept", "127.0.0.1:0",
                                                "-cert", certificate, "-key", key))
            address = server.wait_for("ACCEPT").split()[-1]
            client = self.enter(Process(CLIENT, "--connect", address))
            client.wait_for("DTLS 1.2")
            client.say("anybody there?\n")
            server.wait_for("anybody there?")
            server.say("yes, and long enough\n")
            client.wait_for("yes, and long enough")
            self.assertEqual(client.finish(), 0)

    @staticmethod
    def make_certificate(folder):
        certificate, key = str(pathlib.Path(folder, "certificate.pem")), str(pathlib.Path(folder, "key.pem"))
        subprocess.run([OPENSSL, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-subj", "/CN=test", "-addext", "subjectAltName=DNS:localhost", "-out", certificate, "-keyout", key], check=True, capture_output=True)
        return certificate, key


if __name__ == "__main__":
    unittest.main()
