"""A sluice-sfu under test. SLUICE_SFU_BINARY names it, SLUICE_SOURCE_DIR the tree with its example files."""

import os
import pathlib
import socket
import subprocess
import urllib.error
import urllib.request

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
