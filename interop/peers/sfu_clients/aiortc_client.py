#!/usr/bin/python3
"""A publisher and a viewer on aiortc: see __main__.py for how it is run."""

import asyncio
import sys

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, VideoStreamTrack
from aiortc.rtcrtpsender import RTCRtpSender

from client import Client, Countered
from aiortc_peer import AMPLITUDE, Tone  # also lets aiortc use loopback

WIDTH, HEIGHT = 320, 240


class Picture(VideoStreamTrack):
    """Stripes that move."""

    async def recv(self):
        pts, time_base = await self.next_timestamp()
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane in frame.planes:
            plane.update(bytes((x + pts // 300) & 0xFF for x in range(plane.line_size)) * plane.height)
        frame.pts, frame.time_base = pts, time_base
        return frame


class AiortcClient(Client):
    def __init__(self, arguments):
        super().__init__(arguments)
        self.frames, self.width = {"audio": 0, "video": 0}, 0

    def prefer_codec(self, transceiver):
        codecs = RTCRtpSender.getCapabilities("video").codecs
        name = self.arguments.codec.lower()
        transceiver.setCodecPreferences([codec for codec in codecs if codec.name.lower() in (name, "rtx")])

    def add_media(self, connection):
        publishes = self.arguments.role == "publish"
        direction = "sendonly" if publishes else "recvonly"
        self.video = connection.addTransceiver(Picture() if publishes else "video", direction=direction)
        self.prefer_codec(self.video)
        connection.addTransceiver(Tone() if publishes else "audio", direction=direction)
        if publishes:
            make_key_frame = self.video.sender._send_keyframe

            def on_request():
                self.say("asked for key frame")
                make_key_frame()

            self.video.sender._send_keyframe = on_request

    def listen(self, connection):
        connection.on("track", lambda track: asyncio.ensure_future(self.count(track)))
        connection.on("connectionstatechange",
                      lambda: connection.connectionState == "connected" and self.say("connected"))

    async def count(self, track):
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return  # the call has ended
            if track.kind == "video":
                self.frames["video"] += 1
                self.width = frame.width
            else:
                samples = memoryview(bytes(frame.planes[0])).cast("h")
                self.frames["audio"] += max(samples, default=0) > AMPLITUDE / 4

    def ask_for_key_frame(self):
        receiver = self.video.receiver
        for source in receiver.getSynchronizationSources():
            asyncio.ensure_future(receiver._send_rtcp_pli(source.source))

    async def offer(self, connection):
        await connection.setLocalDescription(await connection.createOffer())
        answer = await asyncio.to_thread(self.post, connection.localDescription.sdp)
        await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def be_countered(self, connection):
        """Offers G.711 alone; answers what the server offers in its place."""
        declined = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        codecs = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.name == "PCMU"]
        declined.addTransceiver("audio", direction="recvonly").setCodecPreferences(codecs)
        try:
            await self.offer(declined)
            raise RuntimeError("the server takes G.711")
        except Countered as countered:
            await connection.setRemoteDescription(RTCSessionDescription(countered.offer, "offer"))
        finally:
            await declined.close()
        await connection.setLocalDescription(await connection.createAnswer())
        self.video = next(each for each in connection.getTransceivers() if each.kind == "video")
        await asyncio.to_thread(self.answer, connection.localDescription.sdp)

    async def call(self):
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        try:
            self.listen(connection)
            if self.arguments.decline:
                await self.be_countered(connection)
            else:
                self.add_media(connection)
                await self.offer(connection)
            while self.is_wanted(0):
                await asyncio.sleep(0.2)
                self.say_seen(self.frames, self.width)
            await asyncio.to_thread(self.delete)
        finally:
            await connection.close()

    def run(self):
        asyncio.run(self.call())


if __name__ == "__main__":
    sys.exit(Client.main(AiortcClient))
