// When packets come to a page, and whether anything of its connection changes.

// Before the page makes its connection: notes when each packet or frame arrives, and every change of a state.
// Chromium's, by encoded streams.
export function noteArrivals(page) {
  return page.evaluate(() => {
    window.arrivals = { audio: [], video: [] };
    window.changes = [];
    // All senders and receivers of such a connection need their streams to be joined.
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration) {
        super({ ...configuration, encodedInsertableStreams: true });
        this.addEventListener('track', ({ receiver, track }) => {
          const { readable, writable } = receiver.createEncodedStreams();
          const note = new TransformStream({
            transform(frame, controller) {
              window.arrivals[track.kind].push(performance.now());
              controller.enqueue(frame);
            },
          });
          readable.pipeThrough(note).pipeTo(writable).catch(() => {});
        });
        for (const what of ['connectionState', 'iceConnectionState']) {
          this.addEventListener(`${what.toLowerCase()}change`, () => window.changes.push(`${what} ${this[what]}`));
        }
      }

      addTrack(...track) {
        const sender = super.addTrack(...track);
        const { readable, writable } = sender.createEncodedStreams();
        readable.pipeTo(writable).catch(() => {});
        return sender;
      }
    };
  });
}

// The same for any browser, with the frames of a picture that is shown.
export function notePictures(page) {
  return page.evaluate(() => {
    window.arrivals = { picture: [] };
    window.changes = [];
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(configuration) {
        super(configuration);
        for (const what of ['connectionState', 'iceConnectionState']) {
          this.addEventListener(`${what.toLowerCase()}change`, () => window.changes.push(`${what} ${this[what]}`));
        }
      }
    };
    window.notePicture = (video) => {
      const note = (now) => {
        window.arrivals.picture.push(now);
        video.requestVideoFrameCallback(note);
      };
      video.requestVideoFrameCallback(note);
    };
  });
}

export const forget = (page) => page.evaluate(() => {
  for (const times of Object.values(window.arrivals)) times.length = 0;
  window.changes.length = 0;
});

// The longest time between two arrivals since forget(), in ms.
export const gaps = (page) => page.evaluate(() => Object.fromEntries(Object.entries(window.arrivals).map(([kind, times]) => {
  const between = times.slice(1).map((time, i) => time - times[i]);
  return [kind, Math.max(...between)];
})));
