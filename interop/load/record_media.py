#!/usr/bin/python3
"""Makes small files for sluice-load --video and --audio-file with real encoders: a moving picture of two seconds in
VP8, VP9 and AV1, and a tone of two seconds.

Usage: record_media.py FOLDER; writes VP8.ivf, VP9.ivf, AV1.ivf and opus.ogg. It needs python3-av.
"""

import array
import fractions
import math
import pathlib
import sys

import av

WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 20, 40
RATE, SAMPLES, PACKETS = 48000, 960, 100
TONE_HZ, AMPLITUDE = 500, 8000
ENCODERS = {
    "VP8": ("libvpx", {"deadline": "realtime", "cpu-used": "8"}),
    "VP9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}),
    "AV1": ("libaom-av1", {"usage": "realtime", "cpu-used": "8", "row-mt": "0"}),
}


def picture(number):
    """Diagonal stripes that move."""
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in frame.planes:
        row = bytes((x * 4 + number * 8) & 0xFF for x in range(plane.line_size + plane.height))
        plane.update(b"".join(row[y:y + plane.line_size] for y in range(plane.height)))
    frame.pts, frame.time_base = number, fractions.Fraction(1, FPS)
    return frame


def record_video(path, codec):
    name, options = ENCODERS[codec]
    with av.open(str(path), "w", format="ivf") as file:
        stream = file.add_stream(name, rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH, HEIGHT, "yuv420p", 300_000
        stream.gop_size = FPS  # a key frame a second
        for number in range(FRAMES):
            file.mux(stream.encode(picture(number)))
        file.mux(stream.encode())


def record_audio(path):
    with av.open(str(path), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=RATE)
        stream.options = {"frame_duration": "20"}
        for number in range(PACKETS):
            start = number * SAMPLES
            sound = (int(AMPLITUDE * math.sin(2 * math.pi * TONE_HZ * (start + i) / RATE)) for i in range(SAMPLES))
            frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
            frame.planes[0].update(array.array("h", (value for each in sound for value in (each, each))).tobytes())
            frame.pts, frame.sample_rate, frame.time_base = start, RATE, fractions.Fraction(1, RATE)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    for codec in ENCODERS:
        record_video(folder / f"{codec}.ivf", codec)
    record_audio(folder / "opus.ogg")


if __name__ == "__main__":
    main()
