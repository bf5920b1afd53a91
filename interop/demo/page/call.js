// A call to the server: media in both directions and one data channel, all of it echoed.

const GATHERING_LIMIT_MS = 3000;

// Events: "state" (detail: connecting, connected, failed, ended), "track" (detail: the remote stream),
// "open" (the data channel), "message" (detail: text or ArrayBuffer).
export class Call extends EventTarget {
  #location = null;
  #ended = false;
  #connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #channel = this.#connection.createDataChannel('chat');

  constructor() {
    super();
    this.#channel.binaryType = 'arraybuffer';
    this.#channel.onopen = () => this.#tell('open');
    this.#channel.onmessage = ({ data }) => this.#tell('message', data);
    this.#connection.ontrack = ({ streams: [stream] }) => this.#tell('track', stream);
    this.#connection.onconnectionstatechange = () => {
      const state = this.#connection.connectionState;
      if (state === 'connected' || state === 'failed') this.#tell('state', state);
    };
  }

  get connection() { return this.#connection; }
  get channel() { return this.#channel; }
  get location() { return this.#location; }

  // `setup`: the server's DTLS role, active or passive; empty: the server chooses. Throws an Error with
  // the server's sentence if the server refuses the offer.
  async start(stream, setup) {
    this.#tell('state', 'connecting');
    for (const track of stream.getTracks()) this.#connection.addTrack(track, stream);
    await this.#connection.setLocalDescription();
    await this.#allCandidates();
    const response = await fetch('/echo' + (setup ? `?setup=${setup}` : ''), {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp' },
      body: this.#connection.localDescription.sdp,
    });
    const text = await response.text();
    if (response.status !== 201) throw new Error(text.trim());
    this.#location = response.headers.get('Location');
    if (this.#ended) {
      await this.#remove();
      return;
    }
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: text });
  }

  // Also while start() is under way.
  async end() {
    this.#ended = true;
    this.#connection.close();
    await this.#remove();
    this.#tell('state', 'ended');
  }

  // The server's statistics of this call, or null when the server has none.
  async serverStatistics() {
    if (!this.#location) return null;
    const response = await fetch(this.#location + '/statistics');
    return response.ok ? response.json() : null;
  }

  // The parts of the browser's statistics that the page shows.
  async browserStatistics() {
    const reports = [...(await this.#connection.getStats()).values()];
    const find = (type, kind) => reports.find((r) => r.type === type && (!kind || r.kind === kind));
    const byId = (id) => reports.find((r) => r.id === id);
    const sum = (type, field) => reports.filter((r) => r.type === type)
      .reduce((total, r) => total + (r[field] ?? 0), 0);
    const transport = find('transport');
    const pair = byId(transport?.selectedCandidatePairId) ??
      reports.find((r) => r.type === 'candidate-pair' && r.nominated && r.state === 'succeeded');
    return {
      transport,
      pair,
      local: byId(pair?.localCandidateId),
      remote: byId(pair?.remoteCandidateId),
      audio: find('inbound-rtp', 'audio'),
      video: find('inbound-rtp', 'video'),
      sent: find('outbound-rtp', 'video'),
      rtp: {
        received: sum('inbound-rtp', 'packetsReceived'),
        sent: sum('outbound-rtp', 'packetsSent'),
      },
      report: find('remote-inbound-rtp', 'video') ?? find('remote-inbound-rtp', 'audio'),
      channel: find('data-channel'),
    };
  }

  async #remove() {
    const location = this.#location;
    this.#location = null;
    if (location) await fetch(location, { method: 'DELETE' });
  }

  // The offer doesn't trickle, so it waits for all candidates. The limit is for STUN or mDNS without an answer.
  #allCandidates() {
    const connection = this.#connection;
    if (connection.iceGatheringState === 'complete') return Promise.resolve();
    return new Promise((resolve) => {
      setTimeout(resolve, GATHERING_LIMIT_MS);
      connection.addEventListener('icegatheringstatechange', () => {
        if (connection.iceGatheringState === 'complete') resolve();
      });
    });
  }

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}

// The camera and the microphone, or without them a drawn picture and a tone: { stream, stop() }.
export async function localMedia() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 480 } });
    return { stream, stop: () => stopTracks(stream) };
  } catch {
    return drawnMedia();
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function drawnMedia() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
  const context = canvas.getContext('2d');
  let frame = 0;
  const draw = (time) => {
    context.fillStyle = `hsl(${(time / 40) % 360} 60% 35%)`;
    context.fillRect(0, 0, 640, 480);
    context.fillStyle = '#fff';
    context.font = '48px sans-serif';
    context.fillText(new Date().toLocaleTimeString(), 60 + 40 * Math.sin(time / 500), 250);
    frame = requestAnimationFrame(draw);
  };
  frame = requestAnimationFrame(draw);
  const stream = canvas.captureStream(25);

  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const quiet = audio.createGain();
  const out = audio.createMediaStreamDestination();
  quiet.gain.value = 0.05;
  tone.connect(quiet).connect(out);
  tone.start();
  stream.addTrack(out.stream.getAudioTracks()[0]);
  return {
    stream,
    stop: () => {
      cancelAnimationFrame(frame);
      audio.close();
      stopTracks(stream);
    },
  };
}
