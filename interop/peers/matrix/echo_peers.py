"""Peers that have no program of their own: our small echo servers and line clients on pion, Scandium, Mbed TLS and
werift."""

import dataclasses
import os
import pathlib
import shutil
import subprocess
import typing

from rows import CHAIN, IDENTITY, PSK, SECONDS, SUITES12

PEERS = pathlib.Path(__file__).parents[1]


def version_of(program):
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()


@dataclasses.dataclass(frozen=True)
class Terms:
    """What the two sides of a row are told."""

    suite: str  # openssl's name
    registered: str  # IANA's
    authentication: str
    both: bool = False  # the client shows a certificate too
    raw: bool = False  # raw public keys (RFC 7250) in place of certificates
    # Sizes of the connection IDs that each side asks for; 0: it only sends the other's; None: it has none.
    our_id: typing.Optional[int] = None
    their_id: typing.Optional[int] = None

    def _ours(self, kit, authenticates):
        options = ["--cipher", self.suite]
        if authenticates:
            options += kit.ours(self.authentication)
        return options + (["--rpk"] if self.raw else []) + (["--cid", str(self.our_id)] if self.our_id is not None else [])

    def our_server(self, kit):
        """The options of sluice-dtls-server."""
        return self._ours(kit, True) + (["--Verify", "1"] if self.both else [])

    def our_client(self, kit):
        """The options of sluice-dtls-client."""
        return self._ours(kit, self.both or self.authentication == "PSK")

    def theirs(self, kit, dash, authenticates=True):
        """The options of our peers on pion, Scandium and Mbed TLS."""
        options = [dash + "cipher", self.registered]
        if self.authentication == "PSK":
            options += [dash + "psk", PSK, dash + "psk_identity", IDENTITY]
        elif authenticates:
            certificate, key = kit.long_chain() if self.authentication == CHAIN else kit.certificate(self.authentication)
            options += [dash + "cert", certificate, dash + "key", key]
        if self.raw:
            options.append(dash + "rpk")
        return options + ([dash + "cid", str(self.their_id)] if self.their_id is not None else [])


class Pion:
    name = "pion 3.1.15"
    largest_id = 255
    lossy_ours = ()
    program = os.environ.get("PION_PEER", "")
    # Its one CBC suite comes without encrypt-then-MAC, which Sluice requires.
    suites = [suite for suite in SUITES12 if suite[0] in (
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES128-CCM8", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "PSK-AES128-GCM-SHA256", "PSK-AES128-CCM", "PSK-AES128-CCM8", "PSK-AES256-CCM8")]

    @staticmethod
    def lossy_attempts(terms):
        # With connection IDs it repeats its Finished in records of number 0 each time (processHandshakePacket() in
        # conn.go), which count as replayed (RFC 6347 section 4.1.2.6): a client whose Finished has come never gets the
        # server's again.
        return 1 if terms.our_id is None else 4

    @classmethod
    def missing(cls):
        if os.access(cls.program, os.X_OK):
            return ""
        return "pion's peer isn't built: " + ("its modules can't be fetched" if shutil.which("go") else "go isn't installed")

    @classmethod
    def server(cls, kit, terms):
        return [cls.program, "-accept", "127.0.0.1:0", "-timeout", f"{SECONDS}s", *terms.theirs(kit, "-"),
                *(["-verify"] if terms.both else [])]

    @classmethod
    def client(cls, kit, port, terms):
        return [cls.program, "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-timeout",
                f"{SECONDS}s", *terms.theirs(kit, "-", terms.both)]


class Scandium:
    name = "Scandium 3.14.0"
    largest_id = 254  # its encoder refuses 255 bytes
    lossy_ours = ()
    folder = os.environ.get("SCANDIUM_PEER", "")
    # Its CBC suites come without encrypt-then-MAC; its names of the PSK suites with SHA-384 are misspelt.
    suites = [suite for suite in SUITES12 if "CHACHA20" not in suite[0] and "CBC" not in suite[0] and suite[0] !=
              "PSK-AES256-GCM-SHA384"]

    @staticmethod
    def lossy_attempts(_):
        # Fragments that come again before it has all of a message stay in its buffer. When the epoch changes it then
        # ends the handshake with internal_error, where RFC 6347 section 4.2.2 discards what came before.
        return 4

    @classmethod
    def missing(cls):
        if cls.folder and (pathlib.Path(cls.folder) / "ScandiumPeer.class").exists():
            return ""
        return "Scandium's peer isn't built: " + (
            "Maven can't fetch it" if shutil.which("mvn") else "maven and a JDK aren't installed")

    @classmethod
    def _command(cls, terms, *options):
        # The serial collector and the first compiler start fastest.
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp",
                f"{cls.folder}:{cls.folder}/dependency/*", "ScandiumPeer", *options,
                *(["--verify"] if terms.both else [])]

    @classmethod
    def server(cls, kit, terms):
        return cls._command(terms, "--accept", "127.0.0.1:0", *terms.theirs(kit, "--"))

    @classmethod
    def client(cls, kit, port, terms):
        return cls._command(terms, "--connect", f"127.0.0.1:{port}", *terms.theirs(kit, "--", terms.both))


class MbedTls:
    largest_id = 32  # MBEDTLS_SSL_CID_IN_LEN_MAX, MBEDTLS_SSL_CID_OUT_LEN_MAX
    lossy_ours = ()
    program = os.environ.get("MBEDTLS_PEER", "")
    name = "Mbed TLS " + (version_of(program) if os.access(program, os.X_OK) else "3")
    suites = SUITES12

    @staticmethod
    def lossy_attempts(_):
        return 1

    @classmethod
    def missing(cls):
        if os.access(cls.program, os.X_OK):
            return ""
        return "it needs Mbed TLS 3; Debian 12's 2.28 is compiled without MBEDTLS_SSL_DTLS_CONNECTION_ID"

    @classmethod
    def server(cls, kit, terms):
        return [cls.program, "--accept", "127.0.0.1:0", *terms.theirs(kit, "--"), *(["--verify"] if terms.both else [])]

    @classmethod
    def client(cls, kit, port, terms):
        return [cls.program, "--connect", f"127.0.0.1:{port}", "--servername", "localhost",
                *terms.theirs(kit, "--", terms.both)]


class Werift:
    name = "werift-dtls 0.5.8"
    # It takes a message for whole when its last fragment comes, whatever is missing.
    lossy_ours = ("--mtu", "8192")
    suites = [suite for suite in SUITES12 if suite[1].endswith("_WITH_AES_128_GCM_SHA256") and "PSK" not in suite[1]]

    @staticmethod
    def lossy_attempts(_):
        # It repeats a flight in records of the same numbers, with the consequence that pion has. A message that it has
        # taken in a wrong order stays in its transcript.
        return 4

    @staticmethod
    def missing():
        if not shutil.which("node"):
            return "node isn't installed"
        return "" if (PEERS.parent / "node_modules" / "werift-dtls").exists() else "npm packages of interop/ aren't installed"

    @staticmethod
    def _command(kit, command, port, terms, both):
        # Its own certificate must fit into a fragment: of its own messages only the first fragment is in its transcript.
        authentication = terms.authentication
        certificate, key = kit.certificate("ECDSA" if authentication == CHAIN else authentication)
        return ["node", str(PEERS / "werift_peer.mjs"), command, f"127.0.0.1:{port}", "--cert", certificate, "--key", key,
                *(["--rsa"] if authentication == "RSA" else []), *(["--verify"] if both else [])]

    @classmethod
    def server(cls, kit, terms):
        return cls._command(kit, "accept", 0, terms, terms.both)

    @classmethod
    def client(cls, kit, port, terms):
        return cls._command(kit, "connect", port, terms, False)
