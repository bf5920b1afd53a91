// The page: controls, messages and statistics of a call.
import { Call } from './call.js';
import { facts, setupTimes } from './facts.js';
import { localMedia } from './local_media.js';

const POLL_MS = 1000;
const MAX_MESSAGES = 200;
const $ = (id) => document.getElementById(id);

let call = null;
let media = null;
let poll = null;
const sentAt = [];

function show(state, text = state) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  const running = state === 'connecting' || state === 'connected';
  $('start').disabled = $('setup').disabled = running;
  $('end').disabled = !call;
}

function allowChat(allowed) { $('text').disabled = $('send').disabled = !allowed; }

function addMessage(kind, text, note = '') {
  const item = document.createElement('li');
  item.className = kind;
  item.textContent = text;
  if (note) item.append(Object.assign(document.createElement('small'), { textContent: note }));
  $('messages').append(item);
  while ($('messages').children.length > MAX_MESSAGES) $('messages').firstChild.remove();
  item.scrollIntoView({ block: 'nearest' });
}

function receive(data) {
  const waited = sentAt.length ? `${(performance.now() - sentAt.shift()).toFixed(1)} ms` : '';
  addMessage('echo', typeof data === 'string' ? data : `${data.byteLength} bytes`, waited);
}

function row(cells, tags) {
  const line = document.createElement('tr');
  cells.forEach((text, i) => {
    line.append(Object.assign(document.createElement(tags[i]), { textContent: text ?? '–' }));
  });
  return line;
}

function bar(name, value, scale) {
  const track = Object.assign(document.createElement('div'), { className: 'bar' });
  const fill = document.createElement('i');
  fill.style.width = `${value === null ? 0 : Math.max(2, (100 * value) / scale)}%`;
  track.append(fill);
  return [
    Object.assign(document.createElement('dt'), { textContent: name }),
    track,
    Object.assign(document.createElement('dd'), { textContent: value === null ? '–' : value.toFixed(1) }),
  ];
}

async function refresh() {
  const own = call;
  if (!own) return;
  const [server, browser] = await Promise.all([own.serverStatistics(), own.browserStatistics()]);
  if (call !== own) return;
  const times = setupTimes(server);
  const scale = Math.max(1, ...times.map(([, value]) => value ?? 0));
  $('times').replaceChildren(...times.flatMap(([name, value]) => bar(name, value, scale)));
  $('facts').replaceChildren(...facts(server, browser).map((cells) => row(cells, ['th', 'td', 'td'])));
  if (server?.state === 'ended') show('failed', server.reason);
}

async function start(setup) {
  await end();
  $('messages').replaceChildren();
  sentAt.length = 0;
  const own = new Call();
  call = own;
  own.addEventListener('state', ({ detail }) => { if (call === own) show(detail); });
  own.addEventListener('track', ({ detail }) => { $('remote').srcObject = detail; });
  own.addEventListener('open', () => allowChat(true));
  own.addEventListener('message', ({ detail }) => receive(detail));
  show('connecting');
  try {
    await connect(own, setup);
  } catch (error) {
    if (call !== own) return;
    await end();
    show('failed', error.message);
  }
}

// Each wait may be as long as the user thinks about the camera; end() may come meanwhile.
async function connect(own, setup) {
  const granted = await localMedia();
  if (call !== own) {
    granted.stop();
    return;
  }
  media = granted;
  $('local').srcObject = media.stream;
  await own.start(media.stream, setup);
  if (call !== own) return;
  poll = setInterval(refresh, POLL_MS);
  await refresh();
}

async function end() {
  clearInterval(poll);
  allowChat(false);
  const ending = call;
  call = null;
  media?.stop();
  media = null;
  for (const id of ['local', 'remote']) $(id).srcObject = null;
  if (!ending) return;
  show('idle', 'no call');
  await ending.end().catch(() => {});
}

function send(text) {
  call.channel.send(text);
  sentAt.push(performance.now());
  addMessage('mine', text);
}

$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  start($('setup').value);
});
$('end').addEventListener('click', end);
$('chat').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value;
  if (!text || call?.channel.readyState !== 'open') return;
  send(text);
  $('text').value = '';
});
addEventListener('pagehide', () => {
  if (call?.location) fetch(call.location, { method: 'DELETE', keepalive: true });
});

// For the scripts in interop/drive.
window.echo = { start, end, send, refresh, get call() { return call; }, get media() { return media; } };
