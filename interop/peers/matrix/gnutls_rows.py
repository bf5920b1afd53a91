"""Rows with GnuTLS's gnutls-cli and gnutls-serv."""

import shutil
import subprocess

from programs import Program, free_port, must
from rows import IDENTITY, LINE, PSK, SECONDS, SUITES12, Row, expect_suite

VERSION = "DTLS 1.2"


def priority(suite):
    """The GnuTLS priority string for a suite with openssl's name."""
    exchange = "ECDHE-PSK" if suite.startswith("ECDHE-PSK") else next(
        kind for kind in ("ECDHE-ECDSA", "ECDHE-RSA", "PSK") if suite.startswith(kind))
    cipher = suite.removeprefix(exchange + "-")
    mac = "AEAD"
    if cipher.startswith("CHACHA20"):
        cipher = "CHACHA20-POLY1305"
    elif "CBC" in cipher:
        cipher, mac = "AES-128-CBC", "SHA256"
    else:
        cipher = cipher.replace("AES128", "AES-128").replace("AES256", "AES-256").replace("CCM8", "CCM-8")
        cipher = cipher.removesuffix("-SHA256").removesuffix("-SHA384")
    return (f"NONE:+VERS-DTLS1.2:+{cipher}:+{mac}:+{exchange}:+GROUP-ALL:+SIGN-ALL:+CTYPE-X509:+COMP-NULL"
            + ("" if mac == "AEAD" else ":%FORCE_ETM"))


def our_server(suite, registered, authentication, theirs=(), both=False):
    def run(kit):
        asks = ["--Verify", "1"] if both else []
        with Program([kit.server, "--accept", "127.0.0.1:0", "--naccept", "1", "--cipher", suite,
                      *kit.ours(authentication), *asks], SECONDS) as server:
            port = server.wait_for("ACCEPT").split(":")[-1].strip()
            mine = []
            if authentication == "PSK":
                mine = ["--pskusername", IDENTITY, "--pskkey", PSK]
            elif both:
                certificate, key = kit.certificate(authentication)
                mine = ["--x509certfile", certificate, "--x509keyfile", key]
            with Program(["gnutls-cli", "--udp", "--insecure", "--port", port, "--priority", priority(suite), *mine,
                          *theirs, "127.0.0.1"], SECONDS) as client:
                client.wait_for("Simple Client Mode")
                expect_suite(server, VERSION, registered)
                client.say(LINE)
                client.wait_for(LINE)
                client.end_input()
                client.finish()
            must(server.finish() == 0, "the server ends in order")
    return run


def our_client(suite, registered, authentication, theirs=(), both=False):
    def run(kit):
        port = free_port()
        if authentication == "PSK":
            mine = ["--pskpasswd", kit.file("gnutls-psk", f"{IDENTITY}:{PSK}\n")]
        else:
            certificate, key = kit.certificate(authentication)
            mine = ["--x509certfile", certificate, "--x509keyfile", key]
        asks = ["--require-client-cert"] if both else ["--disable-client-cert"]
        with Program(["gnutls-serv", "--udp", "--echo", "--port", str(port), "--priority", priority(suite), *mine, *asks,
                      *theirs], SECONDS) as server:
            server.wait_for("listening on")
            mine = kit.ours(authentication) if both or authentication == "PSK" else []
            with Program([kit.client, "--connect", f"127.0.0.1:{port}", "--cipher", suite, *mine], SECONDS) as client:
                expect_suite(client, VERSION, registered)
                client.say(LINE)
                client.wait_for(LINE)
                client.end_input()
                must(client.finish() == 0, "the client ends in order")
    return run


def rawpk(suite):
    """Only raw public keys (RFC 7250), in both directions."""
    return priority(suite).replace(":+CTYPE-X509", ":+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK")


def with_raw_public_keys(suite, registered, authentication, role, both):
    def our_server_run(kit):
        asks = ["--Verify", "1"] if both else []
        with Program([kit.server, "--accept", "127.0.0.1:0", "--naccept", "1", "--cipher", suite, "--rpk",
                      *kit.ours(authentication), *asks], SECONDS) as server:
            port = server.wait_for("ACCEPT").split(":")[-1].strip()
            with Program(["gnutls-cli", "--udp", "--insecure", "--port", port, "--priority", rawpk(suite),
                          *kit.raw_public_key(authentication), "127.0.0.1"], SECONDS) as client:
                client.wait_for("Simple Client Mode")
                expect_suite(server, VERSION, registered)
                must(("raw public key" in server.text) == both, server.tail())
                client.say(LINE)
                client.wait_for(LINE)
                client.end_input()
                client.finish()
            must(server.finish() == 0, "the server ends in order")

    def our_client_run(kit):
        port = free_port()
        asks = ["--require-client-cert"] if both else ["--disable-client-cert"]
        with Program(["gnutls-serv", "--udp", "--echo", "--port", str(port), "--priority", rawpk(suite),
                      *kit.raw_public_key(authentication), *asks], SECONDS) as server:
            server.wait_for("listening on")
            with Program([kit.client, "--connect", f"127.0.0.1:{port}", "--cipher", suite, "--rpk",
                          *kit.ours(authentication)], SECONDS) as client:
                expect_suite(client, VERSION, registered)
                must("raw public key" in client.text, client.tail())
                client.say(LINE)
                client.wait_for(LINE)
                client.end_input()
                must(client.finish() == 0, "the client ends in order")

    return our_server_run if role == "server" else our_client_run


def rows(kit):
    if not shutil.which("gnutls-cli"):
        return [Row("GnuTLS", VERSION, "both", "", "", None, outcome="skipped", reason="gnutls-bin isn't installed")]
    said = subprocess.run(["gnutls-cli", "--version"], capture_output=True, text=True, check=True).stdout
    peer = "GnuTLS " + said.split()[1]
    quick = {"ECDHE-RSA-AES256-GCM-SHA384", "PSK-AES128-CCM8"}
    made = []
    for suite, registered, authentication in SUITES12:
        for role, how in (("server", our_server), ("client", our_client)):
            row = Row(peer, VERSION, role, registered, authentication, how(suite, registered, authentication),
                      quick=suite in quick, alone=role == "client")
            if role == "server" and suite.startswith("ECDHE-PSK"):
                row.outcome, row.reason = "skipped", "gnutls-cli 3.7 crashes after the handshake, with gnutls-serv too"
            made.append(row)
    suite, registered, authentication = SUITES12[0]
    for role, how in (("server", our_server), ("client", our_client)):
        made.append(Row(peer, VERSION, role, registered, authentication,
                        how(suite, registered, authentication, both=True), what="mutual certificates",
                        alone=role == "client"))
        made.append(Row(peer, VERSION, role, registered, authentication,
                        how(suite, registered, authentication, theirs=["--recordsize", "512"]),
                        what="record_size_limit 512", alone=role == "client"))
        made.append(Row(peer, VERSION, role, registered, authentication,
                        how(suite, registered, authentication, theirs=["--mtu", "400"]), what="MTU 400",
                        alone=role == "client"))
    for suite, registered, authentication in (SUITES12[0], SUITES12[7]):
        for role in ("server", "client"):
            for both in (False, True):
                made.append(Row(peer, VERSION, role, registered, authentication,
                                with_raw_public_keys(suite, registered, authentication, role, both),
                                what="raw public key of both" if both else "raw public key of the server",
                                alone=role == "client"))
    made.append(Row(peer, "DTLS 1.3", "both", "", "", None, outcome="skipped", reason=f"{peer} has none"))
    return made
