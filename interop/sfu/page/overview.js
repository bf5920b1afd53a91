// The overview: the rooms and sessions of the server, once a second.

import { $ } from './controls.js';
import { count } from './statistics.js';

const POLL_MS = 1000;
// Of each table. /sessions has the others.
const MOST_ROWS = 200;

let headers = {};
let timer = 0;
let former = { at: 0, bytes: new Map() };

// The state is read out when it changes, so it changes only when there is news.
function show(state, text) {
  $('state').dataset.state = state;
  if ($('state').textContent !== text) $('state').textContent = text;
}

const plural = (number, what) => `${count(number)} ${what}${number === 1 ? '' : 's'}`;

function duration(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function row(cells) {
  const made = document.createElement('tr');
  for (const cell of cells) made.insertCell().append(...[cell].flat());
  return made;
}

function link(path, room) {
  return Object.assign(document.createElement('a'), { href: `${path}?room=${encodeURIComponent(room)}`,
    textContent: path.slice(1), ariaLabel: `${path.slice(1)} ${room}` });
}

const roomRow = ({ name, publishers, viewers }) =>
  row([name, count(publishers), count(viewers), [link('/watch', name), ' ', link('/publish', name)]]);

const mediaOf = (session) => session.tracks ?? session.streams;
// The RTP streams of a publisher are the layers of its tracks.
const rtpOf = (session) => session.tracks?.flatMap(({ layers }) => layers) ?? session.streams;
const bytesOf = (session) => rtpOf(session).reduce((sum, { bytes }) => sum + bytes, 0);

function bitrate(session, now) {
  const before = former.bytes.get(session.id);
  if (before === undefined || now <= former.at) return '–';
  return `${count(Math.round((8 * (bytesOf(session) - before)) / (now - former.at)))} kbit/s`;
}

// Publishers: packets that did not come. Viewers: what they report of the last interval.
function lost(session) {
  if (session.tracks) return count(rtpOf(session).reduce((sum, layer) => sum + layer.lost, 0));
  const most = Math.max(0, ...session.streams.map((stream) => stream.fraction_lost));
  return `${Math.round(100 * most)} %`;
}

function roundTrip(session) {
  const known = rtpOf(session).map(({ rtt_ms: rtt }) => rtt).filter((rtt) => rtt != null);
  return known.length > 0 ? `${Math.round(Math.max(...known))} ms` : '–';
}

const sessionRow = (session, now) => row([
  session.role, session.room, session.state, bitrate(session, now), lost(session), roundTrip(session),
  mediaOf(session).map(({ codec }) => codec).filter(Boolean).join(', ') || '–',
  duration(session.seconds), session.address, session.id,
]);

// By room; publishers before viewers, and who is there longer before others.
const inOrder = (a, b) => a.room.localeCompare(b.room) || a.role.localeCompare(b.role) || b.seconds - a.seconds ||
  a.id.localeCompare(b.id);

function showAll({ rooms, sessions }) {
  const now = performance.now();
  $('rooms').replaceChildren(...rooms.slice(0, MOST_ROWS).map(roomRow));
  sessions.sort(inOrder);
  $('sessions').replaceChildren(...sessions.slice(0, MOST_ROWS).map((session) => sessionRow(session, now)));
  const more = sessions.length - MOST_ROWS;
  $('more').hidden = more <= 0;
  $('more').textContent = `and ${plural(more, 'more session')}`;
  former = { at: now, bytes: new Map(sessions.map((session) => [session.id, bytesOf(session)])) };
  show('connected', `${plural(rooms.length, 'room')}, ${plural(sessions.length, 'session')}`);
}

// Whether it makes sense to ask again.
async function refresh() {
  const response = await fetch('/sessions', { headers });
  $('controls').hidden = response.status !== 401;
  if (response.ok) showAll(await response.json());
  else show('failed', (await response.text()).trim());
  return response.status !== 401 && response.status !== 403;
}

async function poll() {
  clearTimeout(timer);
  const again = await refresh().catch(() => {
    show('failed', 'The server does not answer.');
    return true;
  });
  clearTimeout(timer);
  if (again && !document.hidden) timer = setTimeout(poll, POLL_MS);
}

$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  headers = { Authorization: `Bearer ${$('token').value}` };
  poll();
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) poll(); });
poll();
