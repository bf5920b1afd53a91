// A session with the server by WHIP or WHEP.

import { fragmentOf, withFragment } from './fragment.js';
import { allCandidates } from './gathering.js';
import { Reconnection } from './reconnection.js';

// For the answer to an ICE restart.
const ANSWER_LIMIT_MS = 5000;

export class RefusedError extends Error {
  // `retryAfter`: seconds until another try makes sense; null: none does.
  constructor(status, sentence, retryAfter) {
    super(sentence);
    this.status = status;
    this.retryAfter = retryAfter;
  }

  static async from(response) {
    const retry = response.headers.get('Retry-After');
    return new RefusedError(response.status, (await response.text()).trim(), retry && Number(retry));
  }

  // The same request has no success later.
  get isFinal() { return this.status >= 400 && this.status < 500 && this.retryAfter === null; }
}

// Events: "state" (detail: connecting, connected, reconnecting, failed, ended).
export class Session extends EventTarget {
  #connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  #location = null;
  #headers;
  #answer = '';
  #reconnection = null;
  #isOver = false;
  #reason = null;

  // `token`: the bearer token; empty: none.
  constructor(token) {
    super();
    this.#headers = token ? { Authorization: `Bearer ${token}` } : {};
    this.#connection.onconnectionstatechange = () => {
      if (this.#connection.connectionState === 'connected') this.#tell('connected');
    };
  }

  get connection() { return this.#connection; }
  get isOver() { return this.#isOver; }
  // Why it has failed, in one sentence; null: it has not.
  get reason() { return this.#reason; }

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
    const isOffer = response.status === 406;
    if (response.status !== 201 && !isOffer) throw await RefusedError.from(response);
    this.#answer = await response.text();
    this.#location = new URL(response.headers.get('Location'), response.url);
    if (this.#isOver) {
      await this.#remove();
      return;
    }
    if (isOffer) await this.#answerOffer();
    else await this.#connection.setRemoteDescription({ type: 'answer', sdp: this.#answer });
    this.#watchTransport();
    this.#reconnection = new Reconnection(this.#connection, {
      begin: () => this.#tell('reconnecting'),
      restart: () => this.#restartIce(),
      giveUp: (sentence) => {
        this.#reason = sentence;
        this.#finish('failed');
        this.#remove().catch(() => {}); // the server may be out of reach
      },
    });
  }

  // The server has refused the offer and makes one itself (draft-ietf-wish-whep-04).
  async #answerOffer() {
    const connection = this.#connection;
    await connection.setLocalDescription({ type: 'rollback' });
    connection.getTransceivers().forEach((transceiver) => transceiver.stop()); // the offer brings its own
    await connection.setRemoteDescription({ type: 'offer', sdp: this.#answer });
    await connection.setLocalDescription();
    await allCandidates(connection);
    const response = await fetch(this.#location, {
      method: 'PATCH',
      headers: { ...this.#headers, 'Content-Type': 'application/sdp' },
      body: connection.localDescription.sdp,
    });
    if (response.status !== 204) throw await RefusedError.from(response);
    // What the server answers to later offers of this side, which restart ICE.
    this.#answer = this.#answer.replaceAll('a=setup:actpass', 'a=setup:passive');
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
    const [{ sender, receiver }] = this.#connection.getTransceivers().filter(({ mid }) => mid !== null);
    const transport = receiver.transport ?? sender.transport;
    transport.onstatechange = () => { if (transport.state === 'closed') this.#finish(); };
  }

  // RFC 9725 section 4.3.3: the server answers to new credentials with its own.
  async #restartIce() {
    const connection = this.#connection;
    connection.restartIce();
    await connection.setLocalDescription();
    try {
      await allCandidates(connection);
      const response = await fetch(this.#location, {
        method: 'PATCH',
        headers: { ...this.#headers, 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' },
        body: fragmentOf(connection.localDescription.sdp),
        signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      });
      if (response.status !== 200) throw await RefusedError.from(response);
      this.#answer = withFragment(this.#answer, await response.text());
      await connection.setRemoteDescription({ type: 'answer', sdp: this.#answer });
    } catch (error) {
      // So that the next try can offer.
      if (connection.signalingState === 'have-local-offer') await connection.setLocalDescription({ type: 'rollback' });
      throw error;
    }
  }

  #finish(state = 'ended') {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reconnection?.stop();
    this.#connection.close();
    this.#tell(state);
  }

  async #remove() {
    const location = this.#location;
    this.#location = null;
    if (location) await fetch(location, { method: 'DELETE', headers: this.#headers });
  }

  #tell(state) { this.dispatchEvent(new CustomEvent('state', { detail: state })); }
}
