#!/usr/bin/python3
"""A publisher and a viewer on GStreamer's webrtcbin: see __main__.py for how it is run."""

import re
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstVideo", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstVideo, GstWebRTC  # noqa: E402  (the versions come first)

import rtp_media  # noqa: E402
from client import Client  # noqa: E402


class GstreamerClient(Client):
    """Runs a main loop in this thread; what the test says comes from another one."""

    def __init__(self, arguments):
        super().__init__(arguments)
        self.loop = GLib.MainLoop()
        self.decoded = rtp_media.DecodedMedia()
        self.pipeline = Gst.Pipeline.new(None) if arguments.role == "watch" else Gst.parse_launch(
            f"{rtp_media.video_source(arguments.codec)} ! {rtp_media.rtp_caps('video', arguments.codec)} ! "
            f"queue name=video {rtp_media.audio_source()} ! {rtp_media.rtp_caps('audio', 'OPUS')} ! queue name=audio")
        self.webrtc = Gst.ElementFactory.make("webrtcbin")
        self.webrtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self.pipeline.add(self.webrtc)
        # libnice leaves out loopback. The agent's reference is floating: Python's is the one that keeps it.
        self.agent = self.webrtc.get_property("ice-agent")
        self.agent.emit("add-local-ip-address", rtp_media.LOOPBACK)
        (self.add_viewer if arguments.role == "watch" else self.add_publisher)()
        self.webrtc.connect("notify::connection-state", self.on_state)

    def add_publisher(self):
        for index, kind in enumerate(("video", "audio")):
            pad = self.webrtc.request_pad_simple(f"sink_{index}")
            self.pipeline.get_by_name(kind).get_static_pad("src").link(pad)
            self.set_up(pad.get_property("transceiver"), kind, GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        pad = self.pipeline.get_by_name("video_payload").get_static_pad("src")
        pad.add_probe(Gst.PadProbeType.EVENT_UPSTREAM, self.on_event)

    def add_viewer(self):
        self.webrtc.connect("pad-added", self.on_pad)
        self.webrtc.get_by_name("rtpbin").connect_after("new-jitterbuffer", self.on_jitter_buffer)
        for kind, codec in (("video", self.arguments.codec), ("audio", "OPUS")):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            caps = Gst.Caps.from_string(rtp_media.rtp_caps(kind, codec))
            self.set_up(self.webrtc.emit("add-transceiver", direction, caps), kind, direction)

    @staticmethod
    def set_up(transceiver, kind, direction):
        transceiver.set_property("direction", direction)
        transceiver.set_property("do-nack", kind == "video")

    def on_jitter_buffer(self, _bin, buffer, _session, ssrc):
        """GStreamer 1.22 offers to ask for lost packets, and does so only where its buffer is told, too."""
        if re.search(rf"a=ssrc-group:FID {ssrc} ", self.answer):
            buffer.set_property("do-retransmission", True)

    def on_event(self, _pad, info):
        if GstVideo.video_event_is_force_key_unit(info.get_event()):
            self.say("asked for key frame")
        return Gst.PadProbeReturn.OK

    def on_pad(self, _webrtc, pad):
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = rtp_media.DECODERS[self.arguments.codec] if kind == "video" else "rtpopusdepay ! opusdec"
        rest = rtp_media.DECODED_PICTURE if kind == "video" else rtp_media.DECODED_SOUND
        branch = Gst.parse_bin_from_description(f"{decoder} ! {rest}", True)
        self.decoded.watch(branch.get_by_name(kind), kind)
        self.pipeline.add(branch)
        branch.sync_state_with_parent()
        pad.link(branch.get_static_pad("sink"))
        if kind == "video":
            self.video_pad = pad

    def on_state(self, *_):
        if self.webrtc.get_property("connection-state") == GstWebRTC.WebRTCPeerConnectionState.CONNECTED:
            self.say("connected")

    def ask_for_key_frame(self):
        self.video_pad.send_event(GstVideo.video_event_new_upstream_force_key_unit(Gst.CLOCK_TIME_NONE, True, 0))

    # ---- the offer and the answer

    def negotiate(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        gathered = threading.Event()
        self.webrtc.connect("notify::ice-gathering-state", lambda *_: self.is_gathered() and gathered.set())
        reply = self.ask("create-offer", None)  # has the offer for as long as it lives
        self.ask("set-local-description", reply.get_value("offer"))
        if not self.is_gathered() and not gathered.wait(self.LIMIT_S):
            raise RuntimeError("the candidates are not gathered in time")
        self.answer = self.post(self.webrtc.get_property("local-description").sdp.as_text())
        _, message = GstSdp.SDPMessage.new_from_text(self.answer)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.ask("set-remote-description", answer)

    def is_gathered(self):
        return self.webrtc.get_property("ice-gathering-state") == GstWebRTC.WebRTCICEGatheringState.COMPLETE

    def ask(self, what, argument):
        promise = Gst.Promise.new()
        self.webrtc.emit(what, argument, promise)
        promise.wait()
        reply = promise.get_reply()
        if reply and reply.has_field("error"):
            raise RuntimeError(f"{what}: {reply.get_value('error')}")
        return reply

    def run(self):
        threading.Thread(target=self.loop.run, daemon=True).start()
        failures = rtp_media.Failures(self.pipeline)
        self.negotiate()
        while self.is_wanted(0.2):
            failures.raise_any()
            self.say_seen(self.decoded.frames, self.decoded.width)
        self.delete()
        self.pipeline.set_state(Gst.State.NULL)
        self.loop.quit()


if __name__ == "__main__":
    sys.exit(Client.main(GstreamerClient))
