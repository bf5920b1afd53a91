#!/usr/bin/env python3
"""Starts a sluice-sfu on loopback and runs sluice-load against it.

Usage: against_sfu.py [--threads N] [arguments of sluice-load]; SLUICE_SFU_BINARY and SLUICE_LOAD_BINARY name the two
programs, --threads is the server's. The exit status is that of sluice-load, or 1 if the server did not end in order.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

LOOPBACK = "127.0.0.1"
STOP_LIMIT_S = 20


def program(variable):
    return os.environ.get(variable) or sys.exit(f"{variable} must name a program")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    options, load_arguments = parser.parse_known_args()
    limits = [part for what in ("viewers", "sessions", "sessions-per-address") for part in (f"--max-{what}", "65535")]
    # It has a line for each session. A pipe would be full before it is read.
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(
            [program("SLUICE_SFU_BINARY"), "--ice-address", LOOPBACK, "--ice-candidates", "udp", "--threads",
             str(options.threads), *limits],
            stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            url = server.stdout.readline().strip()
            status = url and run_load(url, load_arguments)
            if url:
                print(memory(server.pid))
        finally:
            server.terminate()
            server.wait(STOP_LIMIT_S)
        log.seek(0)
        if not url or server.returncode != 0:
            sys.exit(f"the server did not run in order ({server.returncode}): {log.read()}")
    sys.exit(status)


def run_load(url, arguments):
    command = [program("SLUICE_LOAD_BINARY"), "--publish", url + "whip/load", "--watch", url + "whep/load"]
    return subprocess.run([*command, *arguments], check=False).returncode


def memory(process):
    """The most that the server has taken."""
    with open(f"/proc/{process}/status", encoding="ascii") as status:
        peak = re.search(r"VmHWM:\s+(\d+) kB", status.read())
    return f"server's memory at most: {int(peak[1]) / 1024:.1f} MiB"


if __name__ == "__main__":
    main()
