#!/usr/bin/python3
"""Calls sluice-demo with aiortc, and checks that a tone and data channel messages come back.

Usage: aiortc_peer.py --setup active|passive [--json FILE]; SLUICE_DEMO_BINARY names the server.
"""

import argparse
import array
import asyncio
import fractions
import json
import math
import os
import subprocess
import sys

import aioice.ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame

from http_request import STEP_LIMIT_S, request

LOOPBACK = "127.0.0.1"
RATE, FRAME_SAMPLES = 48000, 960
TONE_HZ, AMPLITUDE = 500, 8000
FRAMES_WANTED = 25
BINARY = bytes((i * 31 + (i >> 8) * 17) & 0xFF for i in range(60000))

# aiortc uses no loopback addresses by itself, and there may be no others.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [LOOPBACK]


class Tone(AudioStreamTrack):
    """A sine wave, to tell the echo from silence."""

    async def recv(self):
        await super().recv()  # waits for the time of the next frame
        start = self._timestamp
        samples = array.array(
            "h", (int(AMPLITUDE * math.sin(2 * math.pi * TONE_HZ * (start + i) / RATE)) for i in range(FRAME_SAMPLES))
        )
        frame = AudioFrame(format="s16", layout="mono", samples=FRAME_SAMPLES)
        frame.planes[0].update(samples.tobytes())
        frame.pts, frame.sample_rate, frame.time_base = start, RATE, fractions.Fraction(1, RATE)
        return frame


def must(condition, what):
    if not condition:
        raise AssertionError(f"expected: {what}")


async def in_time(awaitable, what):
    try:
        return await asyncio.wait_for(awaitable, STEP_LIMIT_S)
    except asyncio.TimeoutError:
        raise AssertionError(f"expected within {STEP_LIMIT_S} s: {what}") from None


async def hear_tone(track):
    """Waits until FRAMES_WANTED frames had the tone in them, not silence."""
    loud = 0
    while loud < FRAMES_WANTED:
        frame = await track.recv()
        samples = array.array("h", bytes(frame.planes[0]))
        loud += max(samples, default=0) > AMPLITUDE / 4


async def call(base, setup):
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection._sctpLegacySdp = False  # RFC 8841, not the draft that had a=sctpmap
    heard = asyncio.get_event_loop().create_future()
    messages = asyncio.Queue()
    opened = asyncio.Event()

    channel = connection.createDataChannel("chat")
    channel.on("open", opened.set)
    channel.on("message", messages.put_nowait)
    connection.on("track", lambda track: heard.done() or heard.set_result(track))
    connection.addTrack(Tone())

    try:
        await connection.setLocalDescription(await connection.createOffer())
        status, headers, answer = await asyncio.to_thread(
            request, f"{base}/echo?setup={setup}", "POST", connection.localDescription.sdp
        )
        must(status == 201, f"the offer is answered: {status} {answer}")
        url = base + headers["Location"]
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

        await in_time(opened.wait(), "the data channel is open")
        for sent in ("one line", "", BINARY, b""):
            channel.send(sent)
            back = await in_time(messages.get(), f"{len(sent)} units of {type(sent).__name__} come back")
            must(back == sent, f"{len(sent)} units of {type(sent).__name__} come back unchanged")
        await in_time(hear_tone(await in_time(heard, "a remote track")), "the tone comes back")

        _, _, text = await asyncio.to_thread(request, f"{url}/statistics", "GET")
        status, _, _ = await asyncio.to_thread(request, url, "DELETE")
        must(status == 200, "DELETE ends the call")
        return json.loads(text)
    finally:
        await connection.close()


def report(statistics):
    packets, dtls = statistics["packets"], statistics["dtls"]
    return {
        "browser": "aiortc",
        "dtls_role": {"client": "server", "server": "client"}[dtls["role"]],
        "tls_version": dtls["version"],
        "dtls_cipher": dtls["cipher_suite"],
        "group": dtls["group"],
        "srtp_profile": dtls["srtp_profile"],
        "media_echoed": True,
        "data_echoed": True,
        "setup_ms": statistics["setup_ms"],
        "packets": {name: packets[name] for name in ("in", "out", "auth_failures", "discarded")},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--setup", choices=["active", "passive"], required=True, help="the server's DTLS role")
    parser.add_argument("--json", help="write the figures here")
    args = parser.parse_args()
    binary = os.environ.get("SLUICE_DEMO_BINARY") or sys.exit("SLUICE_DEMO_BINARY must name the sluice-demo to run")

    server = subprocess.Popen([binary, "--ice-address", LOOPBACK], stdout=subprocess.PIPE, text=True)
    try:
        statistics = asyncio.run(call(server.stdout.readline().strip().rstrip("/"), args.setup))
        facts = report(statistics)
        expected = {"active": "client", "passive": "server"}[args.setup]
        must(statistics["dtls"]["role"] == expected, f"the server's DTLS role is {expected}")
        must(facts["packets"]["auth_failures"] == 0, "every packet authenticates")
    finally:
        server.terminate()
        code = server.wait(STEP_LIMIT_S)
    must(code == 0, f"the server ends in order ({code})")
    print(json.dumps(facts, indent=2))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump([facts], file, indent=2)


if __name__ == "__main__":
    main()
