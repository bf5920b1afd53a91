// The page that publishes: camera and microphone, or a drawn picture and a tone.

import { localMedia } from './local_media.js';
import { Session } from './session.js';
import { showStatistics } from './statistics.js';

const $ = (id) => document.getElementById(id);

let session = null;
let media = null;
let hide = () => {};

function show(state, text = state) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('start').disabled = session !== null;
  $('end').disabled = session === null;
}

// The server forwards what comes first in the offer. `codec`: empty for the browser's own order.
function preferCodec(transceiver, codec) {
  if (!codec || transceiver.sender.track.kind !== 'video') return;
  const { codecs } = RTCRtpSender.getCapabilities('video');
  const chosen = codecs.filter(({ mimeType }) => mimeType === `video/${codec}`);
  if (chosen.length === 0) throw new Error(`This browser can't send ${codec}.`);
  transceiver.setCodecPreferences(chosen);
}

// The parts of one call may end in any order; the page has at most one.
function clear() {
  hide();
  media?.stop();
  session = media = null;
  $('picture').srcObject = null;
}

async function publish() {
  const own = new Session($('token').value);
  session = own;
  own.addEventListener('state', ({ detail }) => {
    if (session !== own) return;
    if (own.isOver) clear();
    show(detail, own.reason ?? detail);
  });
  show('connecting');
  try {
    const granted = await localMedia();
    if (session !== own) {
      granted.stop();
      return;
    }
    media = granted;
    $('picture').srcObject = media.stream;
    for (const track of media.stream.getTracks()) {
      const transceiver = own.connection.addTransceiver(track, { direction: 'sendonly', streams: [media.stream] });
      preferCodec(transceiver, $('codec').value);
    }
    hide = showStatistics(own, $('streams'));
    await own.start(`/whip/${encodeURIComponent($('room').value)}`);
  } catch (error) {
    if (session !== own) return;
    clear();
    await own.end();
    show('failed', error.message);
  }
}

$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  publish();
});
$('end').addEventListener('click', () => session?.end());
$('room').value = new URLSearchParams(window.location.search).get('room') ?? 'lobby';

// For scripts that drive the page.
window.sfu = { get session() { return session; } };
