// The page that watches: a picture for each publisher, up to the number of seats.

import { Session } from './session.js';
import { showStatistics } from './statistics.js';

const $ = (id) => document.getElementById(id);

let session = null;
let hide = () => {};
let retry = 0;

function show(state, text = state) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('start').disabled = session !== null;
  $('end').disabled = session === null && !retry;
}

function clear() {
  hide();
  clearTimeout(retry);
  retry = 0;
  session = null;
  $('pictures').replaceChildren();
}

// Audio and video of one seat come as one stream.
function addPicture({ streams: [stream] }) {
  const known = [...$('pictures').children].find((video) => video.srcObject.id === stream.id);
  if (known) return;
  const video = Object.assign(document.createElement('video'), {
    autoplay: true, playsInline: true, controls: true, srcObject: stream,
  });
  $('pictures').append(video);
}

// Nobody publishes yet: asks again, twice as late each time (draft-ietf-wish-whep section 4.2).
function waitForPublisher(error, delay) {
  clear();
  const seconds = delay ?? error.retryAfter;
  retry = setTimeout(() => watch(Math.min(2 * seconds, 30)), 1000 * seconds);
  show('waiting', error.message);
}

async function watch(nextDelay) {
  clear();
  const own = new Session($('token').value);
  session = own;
  own.addEventListener('state', ({ detail }) => {
    if (session !== own) return;
    if (own.isOver) clear();
    show(detail, own.reason ?? detail);
  });
  own.connection.ontrack = addPicture;
  for (let seat = 0; seat < Number($('seats').value); ++seat) {
    own.connection.addTransceiver('audio', { direction: 'recvonly' });
    own.connection.addTransceiver('video', { direction: 'recvonly' });
  }
  hide = showStatistics(own, $('streams'));
  try {
    await own.start(`/whep/${encodeURIComponent($('room').value)}`);
  } catch (error) {
    if (session !== own) return;
    clear();
    await own.end();
    if (error.status === 409) waitForPublisher(error, nextDelay);
    else show('failed', error.message);
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
  show('ended');
});
$('room').value = new URLSearchParams(window.location.search).get('room') ?? 'lobby';

// For scripts that drive the page.
window.sfu = { get session() { return session; } };
