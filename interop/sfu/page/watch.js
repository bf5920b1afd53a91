// The page that watches: a picture for each publisher, up to the number of seats.

import { Chat } from './chat.js';
import { $, chooseRoom, show, showStates } from './controls.js';
import { makeLayerList } from './layers.js';
import { Session } from './session.js';
import { showStatistics } from './statistics.js';

let session = null;
let chat = null;
let hide = () => {};
let retry = 0;

// Also for scripts that drive the page.
const page = {
  get session() { return session; },
  get chat() { return chat; },
  clear,
  show: (state, text = state) => show(state, text, session, !!(session || retry)),
};

function clear() {
  hide();
  clearTimeout(retry);
  retry = 0;
  chat?.end();
  session = chat = null;
  $('pictures').replaceChildren();
}

// Audio and video of one seat come as one stream.
function pictureOf(stream) {
  const known = [...$('pictures').children].find(({ dataset }) => dataset.stream === stream.id);
  if (known) return known;
  const picture = document.createElement('figure');
  picture.dataset.stream = stream.id;
  picture.append(Object.assign(document.createElement('video'), {
    autoplay: true, playsInline: true, controls: true, srcObject: stream,
  }));
  $('pictures').append(picture);
  return picture;
}

function addTrack(own, { track, transceiver, streams: [stream] }) {
  const picture = pictureOf(stream);
  if (track.kind === 'video') picture.append(makeLayerList(own, transceiver.mid, picture.querySelector('video')));
}

// Nobody publishes yet: asks again, twice as late each time (draft-ietf-wish-whep section 4.2).
function waitForPublisher(error, delay) {
  clear();
  const seconds = delay ?? error.retryAfter;
  retry = setTimeout(() => watch(Math.min(2 * seconds, 30)), 1000 * seconds);
  page.show('waiting', error.message);
}

async function watch(nextDelay) {
  clear();
  const own = new Session($('token').value);
  session = own;
  showStates(own, page);
  own.connection.ontrack = (event) => addTrack(own, event);
  for (let seat = 0; seat < Number($('seats').value); ++seat) {
    own.connection.addTransceiver('audio', { direction: 'recvonly' });
    own.connection.addTransceiver('video', { direction: 'recvonly' });
  }
  chat = new Chat(own.connection);
  hide = showStatistics(own, $('streams'), $('plots'));
  try {
    await own.start(`/whep/${encodeURIComponent($('room').value)}`);
  } catch (error) {
    if (session !== own) return;
    clear();
    await own.end();
    if (error.status === 409) waitForPublisher(error, nextDelay);
    else page.show('failed', error.message);
  }
}

$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  watch();
});
$('end').addEventListener('click', () => {
  if (session) {
    session.end();
    return;
  }
  clear();
  page.show('ended');
});
chooseRoom();

window.sfu = page;
