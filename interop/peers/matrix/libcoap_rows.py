"""Rows with libcoap's coap-client and coap-server, which Debian builds on OpenSSL and on GnuTLS."""

import re
import shutil
import subprocess

from programs import Failed, Program, free_port, must, run as run_program
from rows import IDENTITY, PSK_TEXT, SECONDS, Row, expect_suite

VERSION = "DTLS 1.2"
# RFC 7252 section 3: confirmable, without a token. The message IDs contain no line feed.
PING = bytes.fromhex("4000 7a01")
RESET = bytes.fromhex("7000 7a01")
GET = bytes.fromhex("4001 7a02")
CONTENT = bytes.fromhex("6045 7a02")  # an acknowledgement with 2.05 Content
# openssl's name and IANA's. RFC 7252 section 9.1.3.1 requires the first suite.
SUITES = [("PSK-AES128-CCM8", "TLS_PSK_WITH_AES_128_CCM_8"), ("PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256")]


def insist(loss, attempt):
    """Tries up to three times if there is loss. The TLS libraries under libcoap retransmit a flight only when their timer
    fires, which doubles each time, and not when the ClientHello is repeated: a fragment that is lost four times costs
    half a minute."""
    for _ in range(2 if loss else 0):
        try:
            return attempt()
        except Failed:
            pass
    return attempt()


def their_server(library, suite, registered, authentication="PSK", loss=False):
    """Our client sends a ping and a GET."""
    def run(kit):
        port = free_port(2)
        lossy = ["-l", "20%"] if loss else []
        if authentication == "PSK":
            theirs, mine = ["-k", PSK_TEXT], kit.ours("PSK")
        else:
            certificate, key = kit.certificate(authentication)
            theirs, mine = ["-n", "-c", certificate, "-j", key], []
        with Program([f"coap-server-{library}", "-v", "7", "-A", "127.0.0.1", "-p", str(port), *theirs, *lossy],
                     3 * SECONDS) as server:
            server.wait_for("created DTLS endpoint")
            # Our client sends input without a line feed only when the input ends, so each message has its own
            # connection.
            for message, answer in ((PING, RESET), (GET, CONTENT)):
                def ask(message=message, answer=answer):
                    with Program([kit.client, "--connect", f"127.0.0.1:{port + 1}", "--cipher", suite, "--wait", "2",
                                  "--handshake_timeout", "15", *mine], 2 * SECONDS) as client:
                        expect_suite(client, VERSION, registered)
                        client.say(message)
                        client.end_input()
                        client.finish()
                        return answer in client.said

                # Confirmable messages are repeated until they are answered (RFC 7252 section 4.2).
                answered = any(insist(loss, ask) for _ in range(10 if loss else 3))
                must(answered, f"{answer.hex()} answers {message.hex()}")
    return run


def their_client(library, suite, registered, authentication="PSK", loss=False):
    """Our server answers coap-client's request."""
    def run(kit):
        lossy = ["-l", "20%"] if loss else []
        theirs = ["-k", PSK_TEXT, "-u", IDENTITY] if authentication == "PSK" else ["-n"]
        with Program([kit.server, "--accept", "127.0.0.1:0", "--coap", "--cipher", suite, *kit.ours(authentication)],
                     3 * SECONDS) as server:
            port = server.wait_for("ACCEPT").split(":")[-1].strip()

            def ask():
                code, text = run_program([f"coap-client-{library}", *theirs, *lossy, "-B", "40",
                                          f"coaps://127.0.0.1:{port}/"], 3 * SECONDS)
                must(code == 0 and "sluice" in text, f"coap-client has its answer: {text!r}")

            insist(loss, ask)
            expect_suite(server, VERSION, registered)
    return run


def rows(_):
    made = []
    for library, name in (("openssl", "OpenSSL"), ("gnutls", "GnuTLS")):
        if not shutil.which(f"coap-server-{library}"):
            made.append(Row(f"libcoap on {name}", VERSION, "both", "", "", None, outcome="skipped",
                            reason="libcoap3-bin isn't installed"))
            continue
        said = subprocess.run([f"coap-client-{library}"], capture_output=True, text=True, check=False)
        version = re.search(r"v([\d.]+)", said.stdout + said.stderr)
        peer = f"libcoap {version.group(1) if version else '?'} on {name}"
        for suite, registered in SUITES:
            for role, how in (("client", their_server), ("server", their_client)):
                quick = library == "gnutls" and suite == SUITES[0][0]
                made.append(Row(peer, VERSION, role, registered, "PSK", how(library, suite, registered), quick=quick))
        suite, registered = SUITES[1]
        for role, how in (("client", their_server), ("server", their_client)):
            made.append(Row(peer, VERSION, role, registered, "PSK", how(library, suite, registered, loss=True),
                            what="20 % of its datagrams lost"))
        for role, how in (("client", their_server), ("server", their_client)):
            made.append(Row(peer, VERSION, role, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDSA",
                            how(library, "ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                                "ECDSA")))
        made.append(Row(peer, "DTLS 1.3", "both", "", "", None, outcome="skipped", reason=f"{peer} has none"))
    return made
