// The chat of a room: a data channel whose messages the server passes to all others.

const LABEL = 'chat';
const MAX_SHOWN = 200;

const $ = (id) => document.getElementById(id);

function show(kind, text) {
  const item = document.createElement('p');
  item.className = kind;
  item.textContent = text;
  $('messages').append(item);
  while ($('messages').children.length > MAX_SHOWN) $('messages').firstChild.remove();
  $('messages').scrollTop = $('messages').scrollHeight;
}

const describe = (data) => (typeof data === 'string' ? data : `${data.byteLength} bytes`);

// In the elements #messages, #say, #text and #send of the page. Events: "message" (detail: text or ArrayBuffer).
export class Chat extends EventTarget {
  #channel;

  // Before the connection's offer.
  constructor(connection) {
    super();
    $('messages').replaceChildren();
    this.#channel = connection.createDataChannel(LABEL);
    this.#listen(this.#channel);
    // Messages that come before the server knows of this channel are on one that it has opened.
    connection.addEventListener('datachannel', ({ channel }) => {
      if (channel.label === LABEL) this.#listen(channel);
    });
    this.#channel.onopen = () => this.#allow(true);
    this.#channel.onclose = () => this.#allow(false);
    $('say').onsubmit = (event) => {
      event.preventDefault();
      const text = $('text').value.trim();
      if (!text || this.#channel.readyState !== 'open') return;
      this.send(text);
      $('text').value = '';
    };
  }

  get isOpen() { return this.#channel.readyState === 'open'; }

  // Text or bytes.
  send(data) {
    this.#channel.send(data);
    show('mine', `you: ${describe(data)}`);
  }

  // The messages stay until the next chat begins.
  end() {
    this.#channel.onopen = this.#channel.onclose = null;
    $('say').onsubmit = null;
    this.#allow(false);
  }

  #listen(channel) {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => {
      show('theirs', describe(data));
      this.dispatchEvent(new CustomEvent('message', { detail: data }));
    };
  }

  #allow(allowed) { $('text').disabled = $('send').disabled = !allowed; }
}
