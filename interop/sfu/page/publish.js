// The page that publishes: camera and microphone, or a drawn picture and a tone; or the screen.

import { Chat } from './chat.js';
import { $, chooseRoom, show, showStates } from './controls.js';
import { localMedia, sharedScreen } from './local_media.js';
import { Session } from './session.js';
import { showStatistics } from './statistics.js';

let session = null;
let media = null;
let chat = null;
let hide = () => {};

// Also for scripts that drive the page.
const page = {
  get session() { return session; },
  get chat() { return chat; },
  clear,
  show: (state, text = state) => show(state, text, session),
};

// The server forwards what comes first in the offer. `codec`: empty for the browser's own order.
function preferCodec(transceiver, codec) {
  if (!codec || transceiver.sender.track.kind !== 'video') return;
  const { codecs } = RTCRtpSender.getCapabilities('video');
  const chosen = codecs.filter(({ mimeType }) => mimeType === `video/${codec}`);
  if (chosen.length === 0) throw new Error(`This browser can't send ${codec}.`);
  transceiver.setCodecPreferences(chosen);
}

// With simulcast the camera's picture has a size that can be halved twice.
const SIZE = [1280, 720];
const LAYERS = [
  { rid: 'h', maxBitrate: 1_500_000 },
  { rid: 'm', maxBitrate: 500_000, scaleResolutionDownBy: 2 },
  { rid: 'l', maxBitrate: 150_000, scaleResolutionDownBy: 4 },
];

const chosenMedia = () => {
  if ($('source').value === 'screen') return sharedScreen();
  return $('simulcast').checked ? localMedia(...SIZE) : localMedia();
};

const encodingsOf = (track) => (track.kind === 'video' && $('simulcast').checked ? { sendEncodings: LAYERS } : {});

// The parts of one call may end in any order; the page has at most one.
function clear() {
  hide();
  media?.stop();
  chat?.end();
  session = media = chat = null;
  $('picture').srcObject = null;
}

async function publish() {
  const own = new Session($('token').value);
  session = own;
  showStates(own, page);
  page.show('connecting');
  try {
    const granted = await chosenMedia();
    if (session !== own) {
      granted.stop();
      return;
    }
    media = granted;
    $('picture').srcObject = media.stream;
    for (const track of media.stream.getTracks()) {
      const transceiver = own.connection.addTransceiver(track, {
        direction: 'sendonly', streams: [media.stream], ...encodingsOf(track),
      });
      preferCodec(transceiver, $('codec').value);
    }
    chat = new Chat(own.connection);
    hide = showStatistics(own, $('streams'), $('plots'));
    await own.start(`/whip/${encodeURIComponent($('room').value)}`);
  } catch (error) {
    if (session !== own) return;
    clear();
    await own.end();
    page.show('failed', error.message);
  }
}

$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  publish();
});
$('end').addEventListener('click', () => session?.end());
chooseRoom();

window.sfu = page;
