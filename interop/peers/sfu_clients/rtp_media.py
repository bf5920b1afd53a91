"""Real media as RTP over UDP of loopback, by GStreamer: for clients that have no encoder or decoder of their own."""

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstVideo  # noqa: E402  (the versions come first)

Gst.init(None)

LOOPBACK = "127.0.0.1"
WIDTH, HEIGHT = 320, 240
PAYLOAD_TYPES = {"audio": 111, "video": 96}
# There is one key frame at the start, and others only when one is asked for.
ENCODERS = {
    "VP8": "vp8enc deadline=1 cpu-used=8 target-bitrate=300000 keyframe-max-dist=100000 ! rtpvp8pay picture-id-mode=15-bit",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=300 key-int-max=100000 ! "
            "video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency",
}
DECODERS = {"VP8": "rtpvp8depay ! vp8dec", "H264": "rtph264depay ! avdec_h264"}


def video_source(codec):
    """A moving picture as RTP. Its packets fit into those of SRTP over a path of 1,200 bytes."""
    return (f"videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate=20/1 ! "
            f"{ENCODERS[codec]} name=video_payload mtu=1100 pt={PAYLOAD_TYPES['video']}")


def audio_source():
    return ("audiotestsrc is-live=true freq=500 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! "
            f"rtpopuspay pt={PAYLOAD_TYPES['audio']}")


def rtp_caps(kind, codec):
    """Of packets with this payload: "application/x-rtp,...". """
    rate = "clock-rate=90000" if kind == "video" else "clock-rate=48000,encoding-params=(string)2"
    more = ",packetization-mode=(string)1" if codec == "H264" else ""
    return f"application/x-rtp,media={kind},encoding-name={codec.upper()},payload={PAYLOAD_TYPES[kind]},{rate}{more}"


class Failures:
    """What goes wrong in a pipeline."""

    def __init__(self, pipeline):
        self.pipeline = pipeline

    def raise_any(self):
        message = self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        if message:
            raise RuntimeError(f"GStreamer: {message.parse_error()}")


class RtpFeed:
    """Sends a picture and a tone to two ports. Ends with the `with` block."""

    def __init__(self, ports, codec):
        self.pipeline = Gst.parse_launch(
            f"{video_source(codec)} ! udpsink host={LOOPBACK} port={ports['video']} sync=false "
            f"{audio_source()} ! udpsink host={LOOPBACK} port={ports['audio']} sync=false")
        self.failures = Failures(self.pipeline)

    def __enter__(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        return self

    def __exit__(self, *_):
        self.pipeline.set_state(Gst.State.NULL)

    def make_key_frame(self):
        event = GstVideo.video_event_new_upstream_force_key_unit(Gst.CLOCK_TIME_NONE, True, 0)
        self.pipeline.get_by_name("video_payload").get_static_pad("src").send_event(event)


class DecodedMedia:
    """Counts decoded pictures and samples that are no silence: `frames` by kind, and the `width` of the last picture."""

    LOUD = 1000  # of 16 bits

    def __init__(self):
        self.frames = {"audio": 0, "video": 0}
        self.width = 0

    def on_picture(self, _sink, _buffer, pad):
        self.frames["video"] += 1
        self.width = pad.get_current_caps().get_structure(0).get_int("width").value

    def on_sound(self, _sink, buffer, _pad):
        samples = memoryview(buffer.extract_dup(0, buffer.get_size())).cast("h")
        self.frames["audio"] += max(samples, default=0) > self.LOUD

    def watch(self, sink, kind):
        sink.set_property("signal-handoffs", True)
        sink.connect("handoff", self.on_picture if kind == "video" else self.on_sound)


DECODED_SOUND = "audioconvert ! audio/x-raw,format=S16LE,channels=2 ! fakesink name=audio sync=false async=false"
DECODED_PICTURE = "videoconvert ! fakesink name=video sync=false async=false"


class RtpDecoder(DecodedMedia):
    """Decodes what comes to two ports. Ends with the `with` block."""

    def __init__(self, codec):
        super().__init__()
        self.pipeline = Gst.parse_launch(
            f'udpsrc name=video_port address={LOOPBACK} caps="{rtp_caps("video", codec)}" ! rtpjitterbuffer latency=200 ! '
            f"{DECODERS[codec]} ! {DECODED_PICTURE} "
            f'udpsrc name=audio_port address={LOOPBACK} caps="{rtp_caps("audio", "OPUS")}" ! rtpjitterbuffer latency=200 ! '
            f"rtpopusdepay ! opusdec ! {DECODED_SOUND}")
        self.failures = Failures(self.pipeline)
        for kind in self.frames:
            self.watch(self.pipeline.get_by_name(kind), kind)
            self.pipeline.get_by_name(f"{kind}_port").set_property("port", 0)

    def __enter__(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.pipeline.get_state(Gst.CLOCK_TIME_NONE)
        return self

    def __exit__(self, *_):
        self.pipeline.set_state(Gst.State.NULL)

    @property
    def ports(self):
        return {kind: self.pipeline.get_by_name(f"{kind}_port").get_property("port")
                for kind in self.frames}
