"""A row of the matrix, and what rows share: certificates, keys, suites."""

import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess

from programs import Failed

# Limits a failing row. On a busy machine node takes 20 s to start; a flight that is lost four times takes half a minute.
SECONDS = 60
PSK_TEXT = "sixteen bytes of"  # libcoap takes keys as text
PSK = PSK_TEXT.encode().hex()
IDENTITY = "Client_identity"
LINE = "is there an echo?\n"
CHAIN = "ECDSA, chain of 4 kB"


@dataclasses.dataclass
class Row:
    peer: str
    version: str
    our_role: str
    suite: str
    authentication: str
    run: object  # called with the Kit; raises Failed
    what: str = ""  # what else the row is about
    quick: bool = False
    alone: bool = False  # the peer listens on every address: needs a network namespace with loopback only
    outcome: str = ""
    reason: str = ""
    seconds: float = 0.0

    def facts(self):
        facts = dataclasses.asdict(dataclasses.replace(self, run=None))
        for field in ("run", "quick", "alone"):
            del facts[field]
        return facts


# openssl's name, IANA's name, authentication.
SUITES12 = [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDSA"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "ECDSA"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDSA"),
    ("ECDHE-ECDSA-AES128-CCM", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "ECDSA"),
    ("ECDHE-ECDSA-AES256-CCM", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", "ECDSA"),
    ("ECDHE-ECDSA-AES128-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", "ECDSA"),
    ("ECDHE-ECDSA-AES256-CCM8", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "ECDSA"),
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "RSA"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "RSA"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "RSA"),
    ("PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256", "PSK"),
    ("PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384", "PSK"),
    ("PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK"),
    ("PSK-AES128-CCM", "TLS_PSK_WITH_AES_128_CCM", "PSK"),
    ("PSK-AES256-CCM", "TLS_PSK_WITH_AES_256_CCM", "PSK"),
    ("PSK-AES128-CCM8", "TLS_PSK_WITH_AES_128_CCM_8", "PSK"),
    ("PSK-AES256-CCM8", "TLS_PSK_WITH_AES_256_CCM_8", "PSK"),
    ("PSK-AES128-CBC-SHA256", "TLS_PSK_WITH_AES_128_CBC_SHA256", "PSK"),
    ("ECDHE-PSK-AES128-CBC-SHA256", "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", "PSK"),
    ("ECDHE-PSK-CHACHA20-POLY1305", "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", "PSK"),
]


class Kit:
    """The programs under test, and certificates for both sides."""

    def __init__(self, folder):
        self.folder = folder
        self.server = os.environ.get("SLUICE_DTLS_SERVER")
        self.client = os.environ.get("SLUICE_DTLS_CLIENT")
        self.openssl = os.environ.get("OPENSSL") or shutil.which("openssl")

    @functools.cache
    def certificate(self, kind):
        """The files of a certificate and of its key; `kind` is RSA or ECDSA."""
        files = [str(self.folder / f"{kind}-{part}.pem") for part in ("certificate", "key")]
        key = ["rsa:2048"] if kind == "RSA" else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        subprocess.run([self.openssl, "req", "-x509", "-newkey", *key, "-nodes", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True, timeout=60)
        return files

    def raw_public_key(self, kind):
        """GnuTLS's options for the key of that certificate alone."""
        certificate, key = self.certificate(kind)
        public = subprocess.run([self.openssl, "x509", "-in", certificate, "-noout", "-pubkey"], capture_output=True,
                                text=True, check=True).stdout
        return ["--rawpkkeyfile", key, "--rawpkfile", self.file(f"{kind}-public.pem", public)]

    @functools.cache
    def long_chain(self):
        """A chain of three ECDSA certificates, 4 kB in all, and the key of the first."""
        root = self._issue("root", None, 1000)
        middle = self._issue("middle", root, 1000)
        own = self._issue("own", middle, 1000)
        chain = "".join(pathlib.Path(files[0]).read_text() for files in (own, middle, root))
        return [self.file("chain.pem", chain), own[1]]

    def _issue(self, name, issuer, padding):
        """The files of a certificate with a comment of `padding` bytes and of its key."""
        files = [str(self.folder / f"{name}-{part}.pem") for part in ("certificate", "key")]
        issued_by = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
        subprocess.run([self.openssl, "req", "-x509", *issued_by, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-addext",
                        f"nsComment={'x' * padding}", "-out", files[0], "-keyout", files[1]],
                       check=True, capture_output=True, timeout=60)
        return files

    def ours(self, authentication):
        """Our tools' options for credentials."""
        if authentication == "PSK":
            return ["--psk", PSK, "--psk_identity", IDENTITY]
        certificate, key = self.long_chain() if authentication == CHAIN else self.certificate(authentication)
        return ["--cert", certificate, "--key", key]

    @functools.cache
    def file(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return str(path)


def expect_suite(program, version, suite):
    """Our tool reports the version and the suite."""
    line = program.wait_for(version)
    if suite not in line:
        raise Failed(f"expected: {suite}, not {line}")
