// A session with the server by WHIP or WHEP.

import { allCandidates } from './gathering.js';

export class RefusedError extends Error {
  // `retryAfter`: seconds until another try makes sense; null: none does.
  constructor(status, sentence, retryAfter) {
    super(sentence);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

// Events: "state" (detail: connecting, connected, failed, ended).
export class Session extends EventTarget {
  #connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #location = null;
  #headers;
  #isOver = false;

  // `token`: the bearer token; empty: none.
  constructor(token) {
    super();
    this.#headers = token ? { Authorization: `Bearer ${token}` } : {};
    this.#connection.onconnectionstatechange = () => {
      const state = this.#connection.connectionState;
      if (state === 'connected' || state === 'failed') this.#tell(state);
    };
  }

  get connection() { return this.#connection; }

  // Offers what the connection has. Throws a RefusedError with the server's sentence.
  async start(url) {
    this.#tell('connecting');
    await this.#connection.setLocalDescription();
    await allCandidates(this.#connection);
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...this.#headers, 'Content-Type': 'application/sdp' },
      body: this.#connection.localDescription.sdp,
    });
    const text = await response.text();
    if (response.status !== 201) {
      const retry = response.headers.get('Retry-After');
      throw new RefusedError(response.status, text.trim(), retry && Number(retry));
    }
    this.#location = new URL(response.headers.get('Location'), response.url);
    if (this.#isOver) {
      await this.#remove();
      return;
    }
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: text });
    this.#watchTransport();
  }

  // Also while start() is under way.
  async end() {
    this.#finish();
    await this.#remove();
  }

  // The layers of each video section, by its MID. Null: the session has ended.
  async layers() {
    const response = await this.#layerRequest({});
    return response?.ok ? response.json() : null;
  }

  // An empty `rid` means the largest layer that fits.
  async askForLayer(mid, rid) {
    const wish = { mediaId: mid, encodingId: rid || null };
    await this.#layerRequest({ method: 'POST', body: JSON.stringify(wish) }, { 'Content-Type': 'application/json' });
  }

  async #layerRequest(request, headers = {}) {
    if (!this.#location) return null;
    return fetch(`${this.#location.href}/layer`, { ...request, headers: { ...this.#headers, ...headers } });
  }

  async statistics() {
    return [...(await this.#connection.getStats()).values()];
  }

  // The server ends a session by close_notify, which closes the DTLS transport.
  #watchTransport() {
    const [{ sender, receiver }] = this.#connection.getTransceivers();
    const transport = receiver.transport ?? sender.transport;
    transport.onstatechange = () => { if (transport.state === 'closed') this.#finish(); };
  }

  #finish() {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#connection.close();
    this.#tell('ended');
  }

  async #remove() {
    const location = this.#location;
    this.#location = null;
    if (location) await fetch(location, { method: 'DELETE', headers: this.#headers });
  }

  #tell(state) { this.dispatchEvent(new CustomEvent('state', { detail: state })); }
}
