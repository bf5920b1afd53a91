"""Rows with OpenSSL's s_client and s_server."""

import subprocess

from programs import Program, must
from rows import IDENTITY, LINE, PSK, SECONDS, SUITES12, Row, expect_suite

VERSION = "DTLS 1.2"
# OpenSSL's default security level excludes tags of 8 bytes.
ALL_LEVELS = ":@SECLEVEL=0"


def credentials(kit, authentication, is_client, both=False):
    if authentication == "PSK":
        return ["-psk", PSK, "-psk_identity", IDENTITY] + ([] if is_client else ["-nocert"])
    if is_client and not both:
        return []
    certificate, key = kit.certificate(authentication)
    return ["-cert", certificate, "-key", key]


def our_server(suite, registered, authentication, ours=(), theirs=(), both=False):
    def run(kit):
        asks = ["--Verify", "1"] if both else []
        with Program([kit.server, "--accept", "127.0.0.1:0", "--naccept", "1", "--cipher", suite,
                      *kit.ours(authentication), *asks, *ours], SECONDS) as server:
            address = server.wait_for("ACCEPT").split()[-1]
            with Program([kit.openssl, "s_client", "-dtls1_2", "-connect", address, "-cipher", suite + ALL_LEVELS,
                          *credentials(kit, authentication, True, both), *theirs], SECONDS) as client:
                client.wait_for("SSL handshake has read")
                expect_suite(server, VERSION, registered)
                client.say(LINE)
                client.wait_for(LINE)
                client.end_input()
                must(client.finish() == 0, "s_client ends in order")
            must(server.finish() == 0, "the server ends in order")
            return client, server
    return run


def our_client(suite, registered, authentication, ours=(), theirs=(), both=False):
    def run(kit):
        asks = ["-Verify", "1"] if both else []
        with Program([kit.openssl, "s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-cipher", suite + ALL_LEVELS,
                      *credentials(kit, authentication, False), *asks, *theirs], SECONDS) as server:
            address = server.wait_for("ACCEPT").split()[-1]
            mine = kit.ours(authentication) if both or authentication == "PSK" else []
            with Program([kit.client, "--connect", address, "--cipher", suite, *mine, *ours], SECONDS) as client:
                expect_suite(client, VERSION, registered)
                client.say(LINE)
                server.wait_for(LINE)
                server.say("yes, there is, and as long\n")
                client.wait_for("yes, there is, and as long")
                client.end_input()
                must(client.finish() == 0, "the client ends in order")
    return run


def resumed_by_our_server(suite, registered, authentication, tickets):
    def run(kit):
        session = str(kit.folder / "openssl-session")
        ours = [] if tickets else ["--no_ticket"]
        theirs = [] if tickets else ["-no_ticket"]
        with Program([kit.server, "--accept", "127.0.0.1:0", "--naccept", "2", "--cipher", suite,
                      *kit.ours(authentication), *ours], SECONDS) as server:
            address = server.wait_for("ACCEPT").split()[-1]
            for option in ("-sess_out", "-sess_in"):
                with Program([kit.openssl, "s_client", "-dtls1_2", "-connect", address, "-cipher", suite + ALL_LEVELS,
                              option, session, *credentials(kit, authentication, True), *theirs], SECONDS) as client:
                    client.wait_for("SSL handshake has read")
                    client.say(LINE)
                    client.wait_for(LINE)
                    client.end_input()
                    must(client.finish() == 0, "s_client ends in order")
            must(server.finish() == 0, "the server ends in order")
            must(server.text.count(registered) == 2 and server.text.count("resumed") == 1, server.tail())
    return run


def resumed_by_our_client(suite, registered, authentication, tickets):
    def run(kit):
        session = str(kit.folder / "our-session")
        theirs = [] if tickets else ["-no_ticket"]
        with Program([kit.openssl, "s_server", "-dtls1_2", "-accept", "127.0.0.1:0", "-cipher", suite + ALL_LEVELS,
                      *credentials(kit, authentication, False), *theirs], SECONDS) as server:
            address = server.wait_for("ACCEPT").split()[-1]
            mine = kit.ours(authentication) if authentication == "PSK" else []
            for option, resumed in (("--sess_out", False), ("--sess_in", True)):
                with Program([kit.client, "--connect", address, "--cipher", suite, option, session, *mine],
                             SECONDS) as client:
                    expect_suite(client, VERSION, registered)
                    client.end_input()
                    must(client.finish() == 0, "the client ends in order")
                    must(("resumed" in client.text) == resumed, client.tail())
    return run


def names(suite, registered, authentication):
    """Both sides report the same server name, ALPN protocol and keying material."""
    ours = ["--alpn", "other,coap", "--keymatexport", "EXPORTER_test"]
    theirs = ["-alpn", "coap", "-servername", "localhost", "-keymatexport", "EXPORTER_test"]

    def run(kit):
        client, server = our_server(suite, registered, authentication, ours, theirs)(kit)
        server.wait_for("server name localhost, ALPN coap")
        client.wait_for("ALPN protocol: coap")
        keys = server.wait_for("Keying material: ").split()[-1]
        client.wait_for(f"Keying material: {keys}")
    return run


def rows(kit):
    said = subprocess.run([kit.openssl, "version"], capture_output=True, text=True, check=True).stdout
    peer = " ".join(said.split()[:2])
    known = subprocess.run([kit.openssl, "ciphers", "-s", "-tls1_2", "-psk", "ALL:@SECLEVEL=0"], capture_output=True,
                           text=True, check=True).stdout.strip().split(":")
    quick = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "PSK-AES128-CCM8"}
    made = []
    for suite, registered, authentication in SUITES12:
        for role, how in (("server", our_server), ("client", our_client)):
            row = Row(peer, VERSION, role, registered, authentication, how(suite, registered, authentication),
                      quick=suite in quick)
            if suite not in known:
                row.outcome, row.reason = "skipped", f"{peer} doesn't have it"
            made.append(row)
    for suite, registered, authentication in (SUITES12[0], SUITES12[7]):
        for role, how in (("server", our_server), ("client", our_client)):
            made.append(Row(peer, VERSION, role, registered, authentication,
                            how(suite, registered, authentication, both=True), what="mutual certificates"))
    for suite, registered, authentication in (SUITES12[0], SUITES12[10]):
        for role, how in (("server", resumed_by_our_server), ("client", resumed_by_our_client)):
            for tickets in (True, False):
                made.append(Row(peer, VERSION, role, registered, authentication,
                                how(suite, registered, authentication, tickets),
                                what=f"resumed by {'ticket' if tickets else 'session ID'}"))
    # A client must offer the curve of an ECDSA certificate (RFC 8422 section 5.1). An RSA certificate works with any
    # group.
    suite, registered, authentication = SUITES12[7]
    for group in ("X25519", "P-256", "P-384"):
        made.append(Row(peer, VERSION, "server", registered, authentication,
                        our_server(suite, registered, authentication, theirs=["-groups", group]), what=group))
        made.append(Row(peer, VERSION, "client", registered, authentication,
                        our_client(suite, registered, authentication, theirs=["-groups", group]), what=group))
    made.append(Row(peer, VERSION, "server", registered, authentication, names(suite, registered, authentication),
                    what="ALPN, server_name, exporter"))
    for length in ("512", "4096"):
        made.append(Row(peer, VERSION, "server", registered, authentication,
                        our_server(suite, registered, authentication, theirs=["-maxfraglen", length]),
                        what=f"max_fragment_length {length}"))
        made.append(Row(peer, VERSION, "client", registered, authentication,
                        our_client(suite, registered, authentication, ours=["--maxfraglen", length]),
                        what=f"max_fragment_length {length}"))
    for mtu in ("256", "1400"):
        made.append(Row(peer, VERSION, "server", registered, authentication,
                        our_server(suite, registered, authentication, ours=["--mtu", mtu]), what=f"MTU {mtu}"))
    made.append(Row(peer, "DTLS 1.3", "both", "", "", None, outcome="skipped",
                    reason="no released OpenSSL speaks DTLS 1.3"))
    return made
