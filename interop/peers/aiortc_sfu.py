#!/usr/bin/python3
"""aiortc publishes a tone in a room of sluice-sfu and watches it, and both send messages: another implementation's
WebRTC by WHIP and WHEP.

Usage: aiortc_sfu.py; SLUICE_SFU_BINARY names the server.
"""

import asyncio
import os
import subprocess
import sys

from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from aiortc_peer import BINARY, LOOPBACK, Tone, hear_tone, in_time, must
from http_request import STEP_LIMIT_S, request


async def join(connection, base, endpoint):
    """Offers what the connection has; the URL of the session."""
    await connection.setLocalDescription(await connection.createOffer())
    status, headers, answer = await asyncio.to_thread(request, base + endpoint, "POST", connection.localDescription.sdp)
    must(status == 201, f"{endpoint} answers: {status} {answer}")
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    return base + headers["Location"]


def chat_channel(connection):
    """A channel with what comes on it, and an event for when it is open."""
    channel = connection.createDataChannel("chat")
    messages, opened = asyncio.Queue(), asyncio.Event()
    channel.on("open", opened.set)
    channel.on("message", messages.put_nowait)
    return channel, messages, opened


async def chat(one, other):
    """What is sent on a channel comes on the other one."""
    for _, _, opened in (one, other):
        await in_time(opened.wait(), "the data channel is open")
    for (channel, _, _), (_, messages, _) in ((one, other), (other, one)):
        for sent in ("one line", "", BINARY, b""):
            channel.send(sent)
            received = await in_time(messages.get(), f"{len(sent)} units of {type(sent).__name__} come")
            must(received == sent, f"{len(sent)} units of {type(sent).__name__} come unchanged")


async def publish_and_watch(base):
    publisher, viewer = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    viewer._sctpLegacySdp = False  # RFC 8841; the publisher has the draft with a=sctpmap
    channels = chat_channel(publisher), chat_channel(viewer)
    heard = asyncio.get_event_loop().create_future()
    viewer.on("track", lambda track: heard.done() or heard.set_result(track))
    try:
        publisher.addTransceiver(Tone(), direction="sendonly")
        published = await join(publisher, base, "/whip/tone")
        viewer.addTransceiver("audio", direction="recvonly")
        watched = await join(viewer, base, "/whep/tone")
        await in_time(hear_tone(await in_time(heard, "a remote track")), "the viewer hears the tone")
        await chat(*channels)
        for session in (watched, published):
            status, _, _ = await asyncio.to_thread(request, session, "DELETE")
            must(status == 200, "DELETE ends the session")
    finally:
        await publisher.close()
        await viewer.close()


def main():
    binary = os.environ.get("SLUICE_SFU_BINARY") or sys.exit("SLUICE_SFU_BINARY must name the sluice-sfu to run")
    server = subprocess.Popen([binary, "--ice-address", LOOPBACK], stdout=subprocess.PIPE, text=True)
    try:
        asyncio.run(publish_and_watch(server.stdout.readline().strip().rstrip("/")))
    finally:
        server.terminate()
        code = server.wait(STEP_LIMIT_S)
    must(code == 0, f"the server ends in order ({code})")


if __name__ == "__main__":
    main()
