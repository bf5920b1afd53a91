"""The media servers that sfu_compare.py compares: how each is started, pinned to one CPU, with the same room for
clients, and how much time and memory it takes."""

import contextlib
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

LOOPBACK = "127.0.0.1"
START_LIMIT_S = 20
STOP_LIMIT_S = 20
LOOK_S = 0.05
PEERS = pathlib.Path(__file__).resolve().parent.parent / "interop" / "peers"
JANUS_PEER = PEERS / "janus_sfu"

sys.path[:0] = [str(JANUS_PEER), str(PEERS)]
import janus_config  # noqa: E402  (its folder is known only now)
from free_ports import free_port  # noqa: E402


class Unavailable(Exception):
    """Why a server can't be compared with here."""


def own_address():
    """The address of this machine that it would use towards others, or that of loopback. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return LOOPBACK
        return probe.getsockname()[0]


def run_on(cpu, command, **options):
    """A process of one CPU, which may have as many open files as the system allows."""
    def prepare():
        os.sched_setaffinity(0, {cpu})
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return subprocess.Popen(command, text=True, preexec_fn=prepare, **options)


@contextlib.contextmanager
def running(cpu, command, log, **options):
    process = run_on(cpu, command, stderr=log, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def printed_url(process):
    """The servers print it as their first line."""
    return process.stdout.readline().strip() or sys.exit(f"{process.args[0]} did not start")


def cpu_seconds(pid):
    """Of all threads of a process, since its start, in nanoseconds' steps, as clock_getcpuclockid(3) has it."""
    cpu_time_of_process = 2
    return time.clock_gettime((~pid << 3) | cpu_time_of_process)


def resident_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()


class Program:
    """A server that is one program, which prints its URL."""

    def __init__(self, binary, arguments):
        if not binary or not os.access(binary, os.X_OK):
            raise Unavailable(f"{binary or 'its program'} was not built")
        self.command = [binary, *arguments]

    @contextlib.contextmanager
    def start(self, cpus, log):
        """Its URL and the process to measure. `cpus`: that of the server and that of the load."""
        with running(cpus[0], self.command, log, stdout=subprocess.PIPE) as process:
            yield printed_url(process), process.pid


def sluice_sfu(address):
    most = [part for what in ("viewers", "sessions", "sessions-per-address") for part in (f"--max-{what}", "65535")]
    return Program(os.environ.get("SLUICE_SFU_BINARY"),
                   ["--host", address, "--ice-address", address, "--ice-candidates", "udp", "--log-level", "warning",
                    *most])


def pion_sfu(address):
    return Program(os.environ.get("PION_SFU_BINARY"), ["--address", address])


class Janus:
    """Debian's, and beside the load what translates WHIP and WHEP to its API."""

    def __init__(self, address):
        self.binary = shutil.which("janus")
        if not self.binary:
            raise Unavailable("the package janus is not installed")
        if address == LOOPBACK:
            raise Unavailable("Janus does not use addresses of loopback, and this machine has no other one")
        self.address = address

    @contextlib.contextmanager
    def start(self, cpus, log):
        port = free_port()
        url = f"http://{LOOPBACK}:{port}/janus"
        gateway = [sys.executable, "-B", JANUS_PEER / "whip_gateway.py", "--janus", url, "--address", self.address]
        with tempfile.TemporaryDirectory() as folder:
            janus_config.write_config(folder, self.address, port)
            with running(cpus[0], [self.binary, "--configs-folder", folder], log, stdout=log) as janus:
                self.wait(janus, url)
                with running(cpus[1], gateway, log, stdout=subprocess.PIPE) as translator:
                    yield printed_url(translator), janus.pid

    @staticmethod
    def wait(janus, url):
        until = time.monotonic() + START_LIMIT_S
        while time.monotonic() < until and janus.poll() is None:
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                urllib.request.urlopen(url + "/info", timeout=1).close()
                return
            time.sleep(LOOK_S)
        sys.exit("janus did not start")


SERVERS = {"sluice": sluice_sfu, "janus": Janus, "pion": pion_sfu}
