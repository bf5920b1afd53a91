// The page: controls, messages and statistics of a call.
import { Call, localMedia } from './call.js';
import { facts, setupTimes } from './facts.js';

const POLL_MS = 1000;
const MAX_MESSAGES = 200;
const $ = (id) => document.getElementById(id);

let call = null;
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
  if (!call) return;
  const [server, browser] = await Promise.all([call.serverStatistics(), call.browserStatistics()]);
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
  call = new Call();
  call.addEventListener('state', ({ detail }) => show(detail));
  call.addEventListener('track', ({ detail }) => { $('remote').srcObject = detail; });
  call.addEventListener('open', () => allowChat(true));
  call.addEventListener('message', ({ detail }) => receive(detail));
  show('connecting');
  try {
    const stream = await localMedia();
    $('local').srcObject = stream;
    await call.start(stream, setup);
    poll = setInterval(refresh, POLL_MS);
    await refresh();
  } catch (error) {
    await end();
    show('failed', error.message);
  }
}

async function end() {
  clearInterval(poll);
  allowChat(false);
  const ending = call;
  call = null;
  for (const id of ['local', 'remote']) $(id).srcObject = null;
  if (!ending) return;
  await ending.end().catch(() => {});
  show('idle', 'no call');
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
window.echo = { start, end, send, refresh, get call() { return call; } };
