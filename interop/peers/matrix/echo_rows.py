"""Rows with peers that have no program of their own: our small echo servers and line clients on pion and werift."""

import concurrent.futures
import functools
import os
import pathlib
import shutil
import time

from lossy_relay import TEXT as LOSSY
from lossy_relay import LossyRelay
from programs import Failed, Program, must
from rows import CHAIN, IDENTITY, LINE, PSK, SECONDS, SUITES12, Row, expect_suite

VERSION = "DTLS 1.2"
PEERS = pathlib.Path(__file__).parents[1]
SEEDS = range(1, 11)
# A flight that is lost four times in a row costs half a minute.
LOSSY_SECONDS = 60
# Data that is lost stays lost.
REPEAT = 0.3

SUITE, REGISTERED, _ = SUITES12[0]


class Pion:
    name = "pion 3.1.15"
    lossy_attempts = 1
    lossy_ours = ()
    program = os.environ.get("PION_PEER", "")
    # Its one CBC suite comes without encrypt-then-MAC, which Sluice requires.
    suites = [suite for suite in SUITES12 if suite[0] in (
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES128-CCM8", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "PSK-AES128-GCM-SHA256", "PSK-AES128-CCM", "PSK-AES128-CCM8", "PSK-AES256-CCM8")]

    @classmethod
    def missing(cls):
        if os.access(cls.program, os.X_OK):
            return ""
        return "pion's peer isn't built: " + ("its modules can't be fetched" if shutil.which("go") else "go isn't installed")

    @staticmethod
    def _credentials(kit, authentication):
        if authentication == "PSK":
            return ["-psk", PSK, "-psk_identity", IDENTITY]
        certificate, key = kit.long_chain() if authentication == CHAIN else kit.certificate(authentication)
        return ["-cert", certificate, "-key", key]

    @classmethod
    def server(cls, kit, registered, authentication, both):
        return [cls.program, "-accept", "127.0.0.1:0", "-cipher", registered, "-timeout", f"{LOSSY_SECONDS}s",
                *cls._credentials(kit, authentication), *(["-verify"] if both else [])]

    @classmethod
    def client(cls, kit, port, registered, authentication, both):
        own = cls._credentials(kit, authentication) if both or authentication == "PSK" else []
        return [cls.program, "-connect", f"127.0.0.1:{port}", "-cipher", registered, "-servername", "localhost",
                "-timeout", f"{LOSSY_SECONDS}s", *own]


class Werift:
    name = "werift-dtls 0.5.8"
    # It repeats a flight in records of the same numbers, which count as replayed (RFC 6347 section 4.1.2.6): a client
    # whose Finished has come never gets the server's again. A message that it has taken in a wrong order stays in its
    # transcript.
    lossy_attempts = 4
    # It takes a message for whole when its last fragment comes, whatever is missing.
    lossy_ours = ("--mtu", "8192")
    suites = [suite for suite in SUITES12 if suite[1].endswith("_WITH_AES_128_GCM_SHA256") and "PSK" not in suite[1]]

    @staticmethod
    def missing():
        if not shutil.which("node"):
            return "node isn't installed"
        return "" if (PEERS.parent / "node_modules" / "werift-dtls").exists() else "npm packages of interop/ aren't installed"

    @staticmethod
    def _command(kit, command, port, authentication, both):
        # Its own certificate must fit into a fragment: of its own messages only the first fragment is in its transcript.
        certificate, key = kit.certificate("ECDSA" if authentication == CHAIN else authentication)
        return ["node", str(PEERS / "werift_peer.mjs"), command, f"127.0.0.1:{port}", "--cert", certificate, "--key", key,
                *(["--rsa"] if authentication == "RSA" else []), *(["--verify"] if both else [])]

    @classmethod
    def server(cls, kit, _registered, authentication, both):
        return cls._command(kit, "accept", 0, authentication, both)

    @classmethod
    def client(cls, kit, port, _registered, authentication, _both):
        return cls._command(kit, "connect", port, authentication, False)


def converse(client, wanted, deadline):
    """Sends a line until it comes back."""
    while LINE.encode() not in client.said[client.said.find(wanted.encode()):]:
        if time.monotonic() > deadline:
            raise Failed(f"the line does not come back: {client.tail()}")
        client.say(LINE)
        time.sleep(REPEAT)


def through_relay(port, seed):
    return LossyRelay(port, seed) if seed else DirectPath(port)


class DirectPath:
    def __init__(self, port):
        self.port = port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def our_server(peer, kit, suite, registered, authentication, both, ours, seed):
    seconds = LOSSY_SECONDS if seed else SECONDS
    asks = ["--Verify", "1"] if both else []
    with Program([kit.server, "--accept", "127.0.0.1:0", "--cipher", suite, "--handshake_timeout", str(seconds),
                  *kit.ours(authentication), *asks, *ours], seconds) as server:
        port = int(server.wait_for("ACCEPT").split(":")[-1])
        with through_relay(port, seed) as path:
            with Program(peer.client(kit, path.port, registered, authentication, both), seconds) as client:
                client.wait_for("connected")
                converse(client, "connected", client.deadline)
                expect_suite(server, VERSION, registered)


def our_client(peer, kit, suite, registered, authentication, both, ours, seed):
    seconds = LOSSY_SECONDS if seed else SECONDS
    with Program(peer.server(kit, registered, authentication, both), seconds) as server:
        port = int(server.wait_for("ACCEPT").split(":")[-1])
        mine = kit.ours(authentication) if both or authentication == "PSK" else []
        with through_relay(port, seed) as path:
            with Program([kit.client, "--connect", f"127.0.0.1:{path.port}", "--cipher", suite, "--handshake_timeout",
                          str(seconds), *mine, *ours], seconds) as client:
                expect_suite(client, VERSION, registered)
                converse(client, VERSION, client.deadline)
                if both:
                    server.wait_for("of the client: ")
                if not seed:
                    client.end_input()
                    must(client.finish() == 0, "the client ends in order")


def once(attempt):
    return lambda kit: attempt(kit, 0)


def with_every_seed(attempt, attempts):
    """All seeds at once: what they do is wait. Each further attempt has a seed of its own."""
    def insist(kit, seed):
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

    def add(role, suite, authentication, both=False, what="", quick=False):
        name, registered, _ = suite
        function = our_server if role == "server" else our_client
        lossy = LOSSY in what
        ours = peer.lossy_ours if lossy else ()
        attempt = functools.partial(_attempt, function, peer, name, registered, authentication, both, ours)
        run = with_every_seed(attempt, peer.lossy_attempts) if lossy else once(attempt)
        made.append(Row(peer.name, VERSION, role, registered, authentication, run, what=what, quick=quick))

    for suite in peer.suites:
        for role in ("server", "client"):
            add(role, suite, suite[2], quick=suite is peer.suites[0])
    first = peer.suites[0]
    for role in ("server", "client"):
        add(role, first, "ECDSA", both=True, what="mutual certificates")
        add(role, first, CHAIN, both=True, what="mutual certificates")
        add(role, first, "ECDSA", what=f"ten seeds: {LOSSY}")
        add(role, first, CHAIN, both=True, what=f"mutual certificates, ten seeds: {LOSSY}")
    return made


def _attempt(function, peer, name, registered, authentication, both, ours, kit, seed):
    function(peer, kit, name, registered, authentication, both, ours, seed)


def rows(_):
    return rows_of(Pion) + rows_of(Werift)
