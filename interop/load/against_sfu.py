#!/usr/bin/env python3
"""Starts a sluice-sfu on loopback and runs sluice-load against it.

Usage: against_sfu.py [--threads N[,N...]] [arguments of sluice-load]; SLUICE_SFU_BINARY and SLUICE_LOAD_BINARY name the
two programs. --threads is the server's; with several numbers the next server takes over, with as many threads as the
next number says, while the load runs. The exit status is that of sluice-load, or 1 if a server did not end in order or
did not use all of its threads.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

LOOPBACK = "127.0.0.1"
STOP_LIMIT_S = 20
SET_UP_LIMIT_S = 60


def program(variable):
    return os.environ.get(variable) or sys.exit(f"{variable} must name a program")


def wait_until(condition, limit, what):
    """What the condition returns as soon as that is true."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if result := condition():
            return result
        time.sleep(0.05)
    raise RuntimeError(f"{what}: not within {limit} s")


class Server:
    """A sluice-sfu, and those that take over from it. They log to one file."""

    def __init__(self, folder, threads):
        self.folder = pathlib.Path(folder)
        self.log = self.folder / "log"
        self.set_threads(threads)
        limits = [part for what in ("viewers", "sessions", "sessions-per-address")
                  for part in (f"--max-{what}", "65535")]
        with open(self.log, "w", encoding="utf-8") as log:
            self.first = subprocess.Popen(
                [program("SLUICE_SFU_BINARY"), "--config", self.folder / "config", "--state", self.folder / "state",
                 "--ice-address", LOOPBACK, "--ice-candidates", "udp", *limits],
                stdout=subprocess.PIPE, stderr=log, text=True)
        self.process = self.first.pid
        self.url = self.first.stdout.readline().strip()

    def set_threads(self, threads):
        (self.folder / "config").write_text(f"threads = {threads}\n", encoding="ascii")

    def replace(self, threads):
        """The next server goes on with the sessions."""
        self.set_threads(threads)
        known = len(self.successors())
        os.kill(self.process, signal.SIGUSR2)
        wait_until(lambda: len(self.successors()) > known, STOP_LIMIT_S, "the next server is ready")
        self.wait()
        self.process = self.successors()[-1]

    def successors(self):
        return [int(process) for process in re.findall(r"event=replaced process=(\d+)", self.log.read_text())]

    def stop(self):
        os.kill(self.process, signal.SIGINT)
        self.wait()

    def wait(self):
        if self.process == self.first.pid:
            self.first.wait(STOP_LIMIT_S)
        else:
            # No child of this program.
            wait_until(lambda: not pathlib.Path(f"/proc/{self.process}").exists(), STOP_LIMIT_S, "the server ends")

    def connected(self):
        with urllib.request.urlopen(self.url + "sessions") as response:
            sessions = json.load(response)["sessions"]
        return [session for session in sessions if session["state"] == "connected"]

    def memory(self):
        """The most that it has taken."""
        status = pathlib.Path(f"/proc/{self.process}/status").read_text(encoding="ascii")
        peak = re.search(r"VmHWM:\s+(\d+) kB", status)
        return f"server's memory at most: {int(peak[1]) / 1024:.1f} MiB"


def check_workers(server, members, threads, load):
    """Sessions of the load must be on all workers. Ends early with the load, whose status then says why."""
    def all_connected():
        sessions = server.connected()
        return load.poll() is not None or (len(sessions) == members and sessions)
    sessions = wait_until(all_connected, SET_UP_LIMIT_S, "all are connected")
    workers = {session.get("worker", 0) for session in sessions} if sessions is not True else set(range(threads))
    if len(workers) != threads:
        raise RuntimeError(f"{threads} threads, and the sessions are on {workers}")


def run(server, threads, options, load_arguments):
    members = options.publishers + options.viewers
    load = subprocess.Popen([program("SLUICE_LOAD_BINARY"), "--publish", server.url + "whip/load",
                             "--watch", server.url + "whep/load", "--publishers", str(options.publishers),
                             "--viewers", str(options.viewers), *load_arguments])
    try:
        check_workers(server, members, threads[0], load)
        for number in threads[1:]:
            time.sleep(1)
            server.replace(number)
            check_workers(server, members, number, load)
        return load.wait()
    finally:
        load.kill()
        load.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", default="1")
    parser.add_argument("--publishers", type=int, default=1)
    parser.add_argument("--viewers", type=int, default=10)
    options, load_arguments = parser.parse_known_args()
    threads = [int(number) for number in options.threads.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder, threads[0])
        status, why = 1, "it has not started"
        try:
            if server.url:
                status, why = run(server, threads, options, load_arguments), ""
                print(server.memory())
        except (OSError, RuntimeError) as error:
            why = str(error)
        finally:
            server.stop()
        if why or server.first.returncode != 0:
            sys.exit(f"the server did not run in order ({why or server.first.returncode}): {server.log.read_text()}")
    sys.exit(status)


if __name__ == "__main__":
    main()
