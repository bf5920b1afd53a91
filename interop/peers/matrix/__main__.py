"""The interoperability matrix: peer, version, our role, suite, authentication; each row is a connection on loopback.

Environment variables name the programs: SLUICE_DTLS_SERVER, SLUICE_DTLS_CLIENT, SLUICE_DEMO_BINARY,
SLUICE_SFU_BINARY. Exit code: 0 if no
row failed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cid_rows
import echo_rows
import gnutls_rows
import libcoap_rows
import openssl_rows
import sfu_rows
import webrtc_rows
from programs import Failed
from rows import Kit

ISOLATED = "SLUICE_ISOLATED"
# A network namespace with loopback only, and a process namespace that ends with this script, however it ends.
UNSHARE = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
COLUMNS = ["peer", "version", "our_role", "suite", "authentication", "what", "outcome", "reason"]


def isolate():
    """Runs this script again where only loopback can be reached, if the system allows it."""
    if os.environ.get(ISOLATED):
        return
    allowed = subprocess.run([*UNSHARE, "ip", "link", "set", "lo", "up"], stdin=subprocess.DEVNULL, capture_output=True,
                             check=False)
    if allowed.returncode != 0:
        return
    os.environ[ISOLATED] = "1"
    os.execvp("unshare", [*UNSHARE, "sh", "-c", 'ip link set lo up && exec "$@"', "sh", sys.executable, "-B", *sys.argv])


def all_rows(kit, quick):
    groups = [openssl_rows, gnutls_rows, libcoap_rows, echo_rows, cid_rows] + ([] if quick else [webrtc_rows, sfu_rows])
    rows = [row for group in groups for row in group.rows(kit)]
    for row in rows:
        if row.alone and not row.outcome and not os.environ.get(ISOLATED):
            row.outcome, row.reason = "skipped", "it listens on every address, which needs a network namespace"
    return [row for row in rows if not quick or row.quick or row.outcome]


def run(row, kit):
    if row.outcome:
        return
    started = time.monotonic()
    try:
        row.run(kit)
        row.outcome = "passed"
    except Failed as failure:
        row.outcome, row.reason = "failed", str(failure)
    row.seconds = round(time.monotonic() - started, 2)


def table(rows):
    lines = [[name.replace("_", " ") for name in COLUMNS]]
    lines += [[str(row.facts()[name]) for name in COLUMNS] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS) - 1)]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, [*widths, 0])).rstrip() for line in lines]
    counts = ", ".join(f"{sum(row.outcome == outcome for row in rows)} {outcome}"
                       for outcome in ("passed", "failed", "skipped"))
    return "\n".join([text[0], "-" * len(text[0]), *text[1:], "", counts, ""])


def main():
    parser = argparse.ArgumentParser("python3 interop/peers/matrix", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few rows of each peer, and no browser")
    parser.add_argument("--only", metavar="TEXT", default="", help="only rows that contain TEXT")
    parser.add_argument("--table", metavar="FILE", help="also write the table to FILE")
    parser.add_argument("--json", metavar="FILE", help="write all rows to FILE as JSON")
    args = parser.parse_args()
    isolate()
    with tempfile.TemporaryDirectory() as folder:
        kit = Kit(pathlib.Path(folder))
        if not kit.server or not kit.client:
            sys.exit("SLUICE_DTLS_SERVER and SLUICE_DTLS_CLIENT must name the tools")
        rows = [row for row in all_rows(kit, args.quick) if args.only in " ".join(map(str, row.facts().values()))]
        for row in rows:
            run(row, kit)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    text = table(rows)
    print(text)
    if args.table:
        pathlib.Path(args.table).write_text(text, encoding="utf-8")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps([row.facts() for row in rows], indent=2) + "\n", encoding="utf-8")
    return 1 if not rows or any(row.outcome == "failed" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
