#!/usr/bin/env python3
"""Runs sluice-bench --quick --fleet --fanout and checks that its JSON has the form, and all the measures, that it should have.

Usage: check_figures.py SLUICE_BENCH JSON_FILE
What the figures are isn't judged here.
"""

import json
import math
import os
import re
import subprocess
import sys

# By subject, as regular expressions: each must find a measure, with these peers.
EXPECTED = [
    (r"handshake/full/(x25519|p256)/1\.2", {"libssl", "gnutls", "floor"}, 2),
    (r"handshake/full/(x25519|p256)/1\.3", {"floor"}, 2),
    (r"handshake/psk_ccm_8/1\.2", {"libssl", "gnutls", "floor"}, 1),
    (r"handshake/psk_x25519/1\.3", {"floor"}, 1),
    (r"handshake/resumed/(session_id|ticket)/1\.2", {"libssl", "floor"}, 2),
    (r"handshake/resumed/ticket_x25519/1\.3", {"floor"}, 1),
    (r"record/(seal|open)/\w+/(64|300|1200)/1\.2", {"libssl", "gnutls", "evp"}, 30),
    (r"record/(seal|open)/\w+/(64|300|1200)/1\.3", {"evp"}, 30),
    (r"srtp/(un)?protect/\w+/(160|1200)", {"libsrtp"}, 16),
    (r"srtp/session_(set_up|memory)/\w+", {"libsrtp"}, 8),
    (r"threads/two(_over_one)?/1\.2", {"libssl"}, 2),
    (r"demux/(classify|dispatch)", set(), 2),
    (r"stun/check/(each_another|same)_key/ipv[46]", {"libnice"}, 4),
    (r"set_up/(50|100|300)ms/(0|5|10|25)%/(median|p95)/1\.[23]", {"libssl", "libssl_rtt"}, 48),
    (r"memory/(in_progress|idle_warm)/1\.2", {"libssl", "gnutls"}, 2),
    (r"memory/(in_progress|idle_warm|idle_cold)/1\.[23]", set(), 6),
    (r"endpoint/(next_timeout|datagram|wake_up|idle|memory_idle)/\d+", set(), 10),
    (r"fleet/live/(handshakes|next_timeout|datagram|wake_up|resident|bytes)/\d+", set(), 6),
    (r"fleet/(exports|restores)/\d+", set(), 2),
    (r"fleet/state", set(), 1),
    (r"fleet/(lmdb|redis)/(ageing|bytes|anonymous|mapped|wake_p50|wake_p99)/\d+", set(), 12),
    (r"ice_lite/session_(set_up|memory)/repeat_window_(0|512)", set(), 4),
    (r"fanout/unsent/20/burst_\d", {"protect"}, 2),
    (r"fanout/packet/20/burst_\d/(single|joined)", {"send", "protect_and_send"}, 3),
    (r"fanout/latency_p99/20/burst_\d", set(), 2),
    (r"strangers/(listener|endpoint)/\w+", {"ordinary"}, 46),
]
FIELDS = {"name": str, "unit": str, "ours": (int, float), "spread": (int, float), "peers": dict, "ratios": dict,
          "goal": (str, type(None)), "met": (bool, type(None))}


def faults_of(measure):
    """What is wrong with one measure's form."""
    for field, kinds in FIELDS.items():
        if field not in measure:
            yield f"has no {field}"
        elif not isinstance(measure[field], kinds):
            yield f"{field} is {measure[field]!r}"
    if (measure["goal"] is None) != (measure["met"] is None):
        yield "has only one of goal and met"
    for what, figure in {"ours": measure["ours"], **measure["peers"]}.items():
        if not math.isfinite(figure) or figure < 0:
            yield f"{what} is {figure}"


def check(measures):
    """All that is wrong, as text."""
    faults = [f"{measure.get('name')}: {fault}" for measure in measures for fault in faults_of(measure)]
    for pattern, peers, count in EXPECTED:
        found = [m for m in measures if re.fullmatch(pattern, m["name"])]
        if len(found) != count:
            faults.append(f"{pattern}: {len(found)} measures, not {count}")
        for measure in found:
            missing = peers - set(measure["peers"])
            if missing:
                faults.append(f"{measure['name']}: without {', '.join(sorted(missing))}")
    return faults


def main():
    bench, path = sys.argv[1:]
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run([bench, "--quick", "--fleet", "--fanout", "--json", path], check=True)
    with open(path, encoding="utf-8") as file:
        measures = json.load(file)["measures"]
    faults = check(measures)
    print("\n".join(faults) or f"{len(measures)} measures")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
