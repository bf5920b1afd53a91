"""Rows with our small echo servers and line clients on pion, Scandium, Mbed TLS and werift: suites, certificates, loss."""

import concurrent.futures
import time

from echo_peers import MbedTls, Pion, Scandium, Terms, Werift
from lossy_relay import TEXT as LOSSY
from lossy_relay import LossyRelay
from programs import Failed, Program, must
from rows import CHAIN, LINE, SECONDS, Row, expect_suite

VERSION = "DTLS 1.2"
SEEDS = range(1, 11)
# Data that is lost stays lost.
REPEAT = 0.3


class DirectPath:
    lossy = False

    def __init__(self, port):
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def converse(client, wanted, line=LINE):
    """Sends a line until it comes back, behind the text `wanted`."""
    while line.encode() not in client.said[client.said.find(wanted.encode()):]:
        if time.monotonic() > client.deadline:
            raise Failed(f"the line does not come back: {client.tail()}")
        client.say(line)
        time.sleep(REPEAT)


def our_server(peer, kit, terms, make_path=DirectPath, extra=(), check=None):
    """A line goes to our server and back. `check` is then called with our program, the path and the client."""
    with Program([kit.server, "--accept", "127.0.0.1:0", "--handshake_timeout", str(SECONDS), *terms.our_server(kit),
                  *extra], SECONDS) as server:
        port = int(server.wait_for("ACCEPT").split(":")[-1])
        with make_path(port) as path:
            with Program(peer.client(kit, path.port, terms), SECONDS) as client:
                client.wait_for("connected")
                converse(client, "connected")
                expect_suite(server, VERSION, terms.registered)
                must(("raw public key" in server.text) == (terms.raw and terms.both), server.tail())
                if check:
                    check(server, path, client)


def our_client(peer, kit, terms, make_path=DirectPath, extra=(), check=None):
    """A line goes to the peer's server and back. `check` is then called with our program, the path and the client."""
    with Program(peer.server(kit, terms), SECONDS) as server:
        port = int(server.wait_for("ACCEPT").split(":")[-1])
        with make_path(port) as path:
            with Program([kit.client, "--connect", f"127.0.0.1:{path.port}", "--handshake_timeout", str(SECONDS),
                          *terms.our_client(kit), *extra], SECONDS) as client:
                expect_suite(client, VERSION, terms.registered)
                converse(client, VERSION)
                must(("raw public key" in client.text) == terms.raw, client.tail())
                if terms.both:
                    must("of the client: 0" not in server.wait_for("of the client: "), server.tail())
                if check:
                    check(client, path, client)
                if not path.lossy:
                    client.end_input()
                    must(client.finish() == 0, "the client ends in order")


ATTEMPTS = {"server": our_server, "client": our_client}


def with_every_seed(peer, role, terms):
    """All seeds at once: what they do is wait. Each further attempt has a seed of its own."""
    def attempt(kit, seed):
        ATTEMPTS[role](peer, kit, terms, lambda port: LossyRelay(port, seed), peer.lossy_ours)

    def insist(kit, seed):
        attempts = peer.lossy_attempts(terms)
        for further in range(1, attempts):
            try:
                return attempt(kit, f"{seed}, attempt {further}")
            except Failed:
                pass
        return attempt(kit, f"{seed}, attempt {attempts}")

    def run(kit):
        kit.certificate("ECDSA")  # made before there are threads
        kit.long_chain()
        with concurrent.futures.ThreadPoolExecutor(len(SEEDS)) as pool:
            runs = {seed: pool.submit(insist, kit, seed) for seed in SEEDS}
        failures = [f"seed {seed}: {done.exception()}" for seed, done in runs.items() if done.exception()]
        if failures:
            raise Failed("; ".join(failures))
    return run


def rows_of(peer):
    if why := peer.missing():
        return [Row(peer.name, VERSION, "both", "", "", None, outcome="skipped", reason=why)]
    made = []

    def add(role, suite, authentication, both=False, raw=False, what="", quick=False):
        terms = Terms(suite[0], suite[1], authentication, both, raw)
        run = with_every_seed(peer, role, terms) if LOSSY in what else lambda kit: ATTEMPTS[role](peer, kit, terms)
        made.append(Row(peer.name, VERSION, role, suite[1], authentication, run, what=what, quick=quick))

    for suite in peer.suites:
        for role in ATTEMPTS:
            add(role, suite, suite[2], quick=suite is peer.suites[0])
    first = peer.suites[0]
    for role in ATTEMPTS:
        add(role, first, "ECDSA", both=True, what="mutual certificates")
        add(role, first, "ECDSA", what=f"ten seeds: {LOSSY}")
        add(role, first, CHAIN, both=True, what=f"mutual certificates, ten seeds: {LOSSY}")
    if peer is Scandium:
        for suite in peer.suites:
            if suite[0] in ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-CCM8"):
                for role in ATTEMPTS:
                    add(role, suite, "ECDSA", raw=True, what="raw public key of the server")
                    add(role, suite, "ECDSA", both=True, raw=True, what="raw public key of both")
    return made


def rows(_):
    return [row for peer in (Pion, Scandium, MbedTls, Werift) for row in rows_of(peer)]
