#!/usr/bin/env python3
"""Compares sluice-sfu with Janus and with a media server on Pion: one publisher, and more and more viewers, until the
server's CPU is full. sluice-sfu is measured first and last.

Usage: sfu_compare.py [options]; ./dev bench --sfu builds what it needs. SLUICE_SFU_BINARY, SLUICE_LOAD_BINARY and
PION_SFU_BINARY name the programs. The server has one CPU and the load another one; both must be idle otherwise.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from sfu_servers import SERVERS, Unavailable, cpu_seconds, own_address, resident_bytes, run_on

# At the start of a step it still sends key frames to those who came last.
SETTLE_S = 1
SET_UP_LIMIT_S = 180
# A load that takes more of its CPU than this may be what is too slow.
LOAD_IS_FULL = 0.95
# The goals: so many times the packets of the better peer, and such a part of its memory.
MORE_PACKETS, LESS_MEMORY = 3, 1 / 3


def load_command(url, viewers, options, json_file):
    command = [os.environ["SLUICE_LOAD_BINARY"], "--publish", url + "whip/bench", "--watch", url + "whep/bench",
               "--bind", options.address, "--viewers", str(viewers), "--bitrate", str(options.bitrate),
               "--duration", str(options.duration + SETTLE_S), "--json", json_file]
    return [*command, *(["--nack"] if options.nack else []), *(["--audio"] if options.audio else [])]


class Load:
    """A run of sluice-load. Its log says when all clients are there."""

    def __init__(self, cpu, command):
        self.process = run_on(cpu, command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.is_running = threading.Event()
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.strip())
            if self.lines[-1] == "running":
                self.is_running.set()

    def wait_for_all(self):
        until = time.monotonic() + SET_UP_LIMIT_S
        while not self.is_running.wait(0.1):
            if self.process.poll() is not None or time.monotonic() > until:
                return False
        return True

    def end(self):
        try:
            self.process.wait(SET_UP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()


class Usage:
    """CPU time of some processes while time passes, as a part of one CPU each."""

    def __init__(self, *pids):
        self.pids = pids
        self.begin = time.monotonic(), [cpu_seconds(pid) for pid in pids]

    def shares(self):
        passed = time.monotonic() - self.begin[0]
        return [(cpu_seconds(pid) - before) / passed for pid, before in zip(self.pids, self.begin[1])]


def measure_step(server, viewers, options, log):
    """One number of viewers at a fresh server."""
    step = {"viewers": viewers, "holds": False, "why": ""}
    cpus = options.server_cpu, options.load_cpu
    with tempfile.NamedTemporaryFile("r") as json_file, server.start(cpus, log) as (url, pid):
        empty = resident_bytes(pid)
        load = Load(options.load_cpu, load_command(url, viewers, options, json_file.name))
        if load.wait_for_all():
            time.sleep(SETTLE_S)
            usage = Usage(pid, load.process.pid)
            time.sleep(options.duration - SETTLE_S / 2)
            step["cpu"], step["load_cpu"] = usage.shares()
            step["bytes"] = resident_bytes(pid) - empty
        load.end()
        text = json_file.read()
    if not text or "cpu" not in step:
        return {**step, "why": "; ".join(load.lines[-3:]) or "the load did not end"}
    return judge(step, json.loads(text), options)


def judge(step, report, options):
    """What the load has seen, and whether the server keeps to the limits."""
    received = report["received"]
    step.update(packets_per_second=report["packets_per_second"], loss_percent=received["loss_percent"],
                delay_p50_ms=received["delay"]["p50_ms"], delay_p99_ms=received["delay"]["p99_ms"])
    why = [f"{count} x {what}" for what, count in report["failures"].items()]
    if report["viewers"]["with_media"] < step["viewers"]:
        why.append(f"{report['viewers']['with_media']} viewers got media")
    if step["loss_percent"] > options.max_loss:
        why.append(f"loss {step['loss_percent']:.2f} %")
    if step["delay_p99_ms"] > options.max_delay_p99:
        why.append(f"p99 {step['delay_p99_ms']:.0f} ms")
    if why and report.get("dropped_unread"):
        why.append(f"the load did not read {report['dropped_unread']} datagrams in time (joined ones count once)")
    if why and step["load_cpu"] > LOAD_IS_FULL:
        why.append("the CPU of the load is full")
    return {**step, "holds": not why, "why": "; ".join(why)}


def measure_server(name, server, options, log):
    """Up to the first number of viewers that it does not hold, and then between that and the last one that it does."""
    steps = []

    def measure(viewers):
        steps.append(measure_step(server, viewers, options, log))
        print(row_of(name, steps[-1]), flush=True)
        return steps[-1]["holds"]

    least, most = 0, None
    for viewers in options.viewers:
        if not measure(viewers):
            most = viewers
            break
        least = viewers
    for _ in range(options.refine if most else 0):
        middle = (least + most) // 2
        if middle in (least, most):
            break
        least, most = (middle, most) if measure(middle) else (least, middle)
    return steps


HEADER = (f"{'server':<14}{'viewers':>8}{'packets/s':>11}{'CPU':>7}{'us/packet':>11}{'MB more':>9}{'p50 ms':>8}"
          f"{'p99 ms':>8}{'loss %':>8}{'load':>7}  does not hold because")


def microseconds_per_packet(step):
    return 1e6 * step["cpu"] / step["packets_per_second"]


def row_of(name, step):
    if "packets_per_second" not in step:
        return f"{name:<14}{step['viewers']:>8}  {step['why']}"
    return (f"{name:<14}{step['viewers']:>8}{step['packets_per_second']:>11.0f}{100 * step['cpu']:>6.0f}%"
            f"{microseconds_per_packet(step):>11.2f}{step['bytes'] / 1e6:>9.1f}{step['delay_p50_ms']:>8.2f}"
            f"{step['delay_p99_ms']:>8.2f}{step['loss_percent']:>8.3f}{100 * step['load_cpu']:>6.0f}%  {step['why']}")


# ---- the figures, in the form of sluice-bench's

def best(steps):
    """The step with the most viewers that holds."""
    return max((step for step in steps if step["holds"]), key=lambda step: step["viewers"], default=None)


def bytes_per_viewer(steps):
    """What each further viewer takes: from the first step to the best one. The caches of the publisher are in both."""
    first, last = steps[0], best(steps)
    if first is last:
        return last["bytes"] / last["viewers"]
    return (last["bytes"] - first["bytes"]) / (last["viewers"] - first["viewers"])


# Of the best step.
SUBJECTS = {
    "viewers": ("viewers", lambda steps: best(steps)["viewers"]),
    "packets": ("packets/s", lambda steps: best(steps)["packets_per_second"]),
    "packets_per_core": ("packets/s", lambda steps: best(steps)["packets_per_second"] / best(steps)["cpu"]),
    "memory": ("kB a viewer", lambda steps: bytes_per_viewer(steps) / 1000),
}
# Of each number of viewers that holds.
STEP_SUBJECTS = {
    "cpu": ("% of a core", lambda steps: 100 * best(steps)["cpu"]),
    "delay_p99": ("ms", lambda steps: best(steps)["delay_p99_ms"]),
}


def goal_of(subject, ours, peers):
    """The text of a goal and whether it is met."""
    if subject == "packets_per_core":
        return f">= {MORE_PACKETS} x the better", ours >= MORE_PACKETS * max(peers)
    if subject == "memory":
        return "<= 1/3 x the better", ours <= LESS_MEMORY * min(peers)
    return None, None


def measure_of(subject, name, unit, values):
    """`values` by server: those of its runs. None if ours is not known."""
    if not values.get("sluice"):
        return None
    ours = statistics.mean(values["sluice"])
    peers = {peer: statistics.mean(runs) for peer, runs in values.items() if peer != "sluice" and runs}
    goal, met = goal_of(subject, ours, peers.values()) if peers else (None, None)
    return {"name": name, "unit": unit, "ours": ours,
            "spread": (max(values["sluice"]) - min(values["sluice"])) / ours if ours else 0,
            "peers": peers, "ratios": {peer: ours / value for peer, value in peers.items() if value},
            "goal": goal, "met": met}


def measures_of(runs, viewers):
    """`runs`: (server, its steps)."""
    def collect(figure, count=None):
        found = {}
        for server, steps in runs:
            if count:
                steps = [step for step in steps if step["viewers"] == count]
            if best(steps):
                found.setdefault(server, []).append(figure(steps))
        return found

    made = [measure_of(subject, f"sfu/{subject}", unit, collect(figure))
            for subject, (unit, figure) in SUBJECTS.items()]
    made += [measure_of(subject, f"sfu/{subject}/{count}", unit, collect(figure, count))
             for subject, (unit, figure) in STEP_SUBJECTS.items() for count in viewers]
    return [measure for measure in made if measure]


# ---- the command

def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--viewers", default="100,200,400,700,1000,1400,2000,2800",
                        help="numbers of viewers, the smallest first")
    parser.add_argument("--refine", type=int, default=2, help="steps between the last number that holds and the next")
    parser.add_argument("--servers", default="sluice,janus,pion", help="which, in this order")
    parser.add_argument("--duration", type=float, default=10, help="seconds of a step")
    parser.add_argument("--bitrate", type=int, default=1_500_000, help="of the publisher's video, in bit/s")
    parser.add_argument("--max-loss", type=float, default=0.1, help="percent of packets that a server may lose")
    parser.add_argument("--max-delay-p99", type=float, default=20, help="in ms, of what a server must keep to")
    parser.add_argument("--audio", action="store_true", help="audio, too")
    parser.add_argument("--no-nack", dest="nack", action="store_false",
                        help="viewers do not ask for lost packets; browsers do")
    cpus = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-cpu", type=int, default=cpus[0], help="the CPU of the server")
    parser.add_argument("--load-cpu", type=int, default=cpus[-1], help="the CPU of publisher and viewers")
    parser.add_argument("--json", help="file for the figures; bench/plot.py writes them into docs/performance.md")
    parser.add_argument("--log", default=os.devnull, help="file for what the servers say")
    options = parser.parse_args()
    options.viewers = [int(count) for count in options.viewers.split(",")]
    if unknown := [name for name in options.servers.split(",") if name not in SERVERS]:
        parser.error(f"no such server: {unknown[0]}")
    if options.viewers != sorted(options.viewers) or options.viewers[0] < 1:
        parser.error("--viewers: the smallest number first, and at least 1")
    if {options.server_cpu, options.load_cpu} - set(cpus):
        parser.error("this process may not use these CPUs")
    options.address = own_address()
    return options


def print_figures(measures):
    for measure in measures:
        beside = ", ".join(f"{peer} {value:,.1f} ({measure['ratios'].get(peer, 0):.2f})"
                           for peer, value in measure["peers"].items())
        verdict = {None: "", True: f"; {measure['goal']}: yes", False: f"; {measure['goal']}: no"}[measure["met"]]
        print(f"{measure['name']:<22} {measure['unit']:<12} {measure['ours']:>12,.1f} "
              f"(+-{50 * measure['spread']:.0f} %)  {beside}{verdict}")


def text_of(machine_load):
    """As uptime has it."""
    return ", ".join(f"{part:.2f}" for part in machine_load) + " (1, 5, 15 minutes)"


def available(options):
    """(name, server) in the order of their runs."""
    servers = []
    for name in options.servers.split(","):
        try:
            servers.append((name, SERVERS[name](options.address)))
        except Unavailable as why:
            print(f"{name} is skipped: {why}")
    first = [each for each in servers if each[0] == "sluice"]
    return servers + first if len(servers) > len(first) else servers


def main():
    options = read_options()
    if not os.access(os.environ.get("SLUICE_LOAD_BINARY", ""), os.X_OK):
        sys.exit("SLUICE_LOAD_BINARY must name sluice-load")
    runs, before = [], os.getloadavg()
    print(f"load of the machine before: {text_of(before)}\n{HEADER}")
    with open(options.log, "w", encoding="utf-8") as log:
        for name, server in available(options):
            runs.append((name, measure_server(name, server, options, log)))
    measures = measures_of(runs, options.viewers)
    print_figures([measure for measure in measures if measure["name"].removeprefix("sfu/") in SUBJECTS])
    after = os.getloadavg()
    print(f"load of the machine after: {text_of(after)}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"measures": measures, "runs": [{"server": name, "steps": steps} for name, steps in runs],
                       "options": vars(options), "machine_load": {"before": before, "after": after}}, file, indent=2)
    if failed := [name for name, steps in runs if not best(steps)]:
        sys.exit(f"not even the smallest number of viewers holds: {', '.join(failed)}")


if __name__ == "__main__":
    main()
