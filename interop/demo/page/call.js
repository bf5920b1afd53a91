// A call to the server: media in both directions and one data channel, all of it echoed.

import { allCandidates } from './gathering.js';

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
    await allCandidates(this.#connection);
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

  #tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
