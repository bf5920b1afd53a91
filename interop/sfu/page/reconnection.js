// Restores a connection whose path is lost, by ICE restarts.

// A connection that is disconnected may recover by itself.
const PATIENCE_MS = 2000;
// How long each restart may take. The server keeps a session for 30 s after it has heard of it last.
const TRIES_MS = [2000, 4000, 8000, 8000];

export class Reconnection {
  #connection;
  #actions;
  #timer = 0;
  #isBusy = false;
  #isStopped = false;

  // `begin()` is called before the first try. `restart()` restarts ICE; an error with `isFinal` makes further tries
  // useless. `giveUp(sentence)` is called when no try has helped.
  constructor(connection, actions) {
    this.#connection = connection;
    this.#actions = actions;
    connection.addEventListener('connectionstatechange', () => this.#look());
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #look() {
    clearTimeout(this.#timer);
    if (this.#isBusy || this.#isStopped) return;
    const state = this.#connection.connectionState;
    if (state === 'failed') this.#recover();
    if (state === 'disconnected') this.#timer = setTimeout(() => this.#recover(), PATIENCE_MS);
  }

  async #recover() {
    this.#isBusy = true;
    this.#actions.begin();
    const lost = 'The connection to the server is gone';
    for (const limit of TRIES_MS) {
      const error = await this.#actions.restart().catch((reason) => reason);
      if (this.#isStopped) return;
      if (error?.isFinal) {
        this.#actions.giveUp(`${lost}, and it does not restore it: ${error.message}`);
        return;
      }
      if (await this.#connects(limit)) {
        this.#isBusy = false;
        return;
      }
      if (this.#isStopped) return;
    }
    this.#actions.giveUp(`${lost}, and ${TRIES_MS.length} tries to restore it have failed.`);
  }

  // Whether it is connected within `limit` ms.
  #connects(limit) {
    return new Promise((resolve) => {
      const finish = (isConnected) => {
        clearTimeout(timer);
        this.#connection.removeEventListener('connectionstatechange', look);
        resolve(isConnected);
      };
      const timer = setTimeout(() => finish(false), limit);
      const look = () => { if (this.#connection.connectionState === 'connected') finish(true); };
      this.#connection.addEventListener('connectionstatechange', look);
      look();
    });
  }
}
