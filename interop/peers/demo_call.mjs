// A call of a WebRTC library to sluice-demo: messages of a data channel and RTP packets must come back. Each library
// has a script: SCRIPT --setup active|passive [--json FILE]; SLUICE_DEMO_BINARY names the server.
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { report } from '../drive/call.mjs';
import { isolate, startServer } from '../drive/processes.mjs';

export const BINARY = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 31 + (i >> 8) * 17) & 0xff));
const STEP_LIMIT_MS = 20_000;
const PACKET_MS = 20;
const PACKETS_WANTED = 25;
const OUR_ROLES = { active: 'client', passive: 'server' };

function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

async function inTime(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`expected within ${STEP_LIMIT_MS} ms: ${what}`)), STEP_LIMIT_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Sends each message when the one before has come back.
async function echoMessages({ send, onMessage }, messages) {
  for (const sent of messages) {
    const what = `${sent.length} units of ${typeof sent === 'string' ? 'text' : 'binary data'} come back`;
    const back = new Promise((resolve) => { onMessage(resolve); });
    send(sent);
    const received = await inTime(back, what);
    must(typeof received === typeof sent && Buffer.from(received).equals(Buffer.from(sent)), `${what} unchanged`);
  }
}

// Sends RTP packets, each with a text of its own, until PACKETS_WANTED have come back. The first may be lost: a library
// drops what comes before its keys.
async function echoPackets({ kind, send, onPayload }) {
  const sent = new Set();
  const back = new Set();
  let timer;
  const all = new Promise((resolve, reject) => {
    onPayload((payload) => {
      const text = Buffer.from(payload).toString();
      if (!sent.has(text)) reject(new Error(`expected: ${kind} comes back unchanged, not ${text}`));
      if (back.add(text).size === PACKETS_WANTED) resolve();
    });
    timer = setInterval(() => {
      const text = `${kind} packet ${sent.size}`.padEnd(100, '.');
      sent.add(text);
      send(Buffer.from(text));
    }, PACKET_MS);
  });
  await inTime(all, `${PACKETS_WANTED} packets of ${kind} come back`).finally(() => clearInterval(timer));
}

async function call(url, peer, setup) {
  const response = await fetch(new URL(`/echo?setup=${setup}`, url), {
    method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: await peer.offer(),
  });
  const text = await response.text();
  must(response.status === 201, `the offer is answered: ${response.status} ${text}`);
  const location = new URL(response.headers.get('Location'), url);
  await peer.answer(text);
  await inTime(peer.channel.opened, 'the data channel is open');
  await echoMessages(peer.channel, peer.messages);
  await Promise.all(peer.media.map(echoPackets));
  const statistics = await (await fetch(`${location}/statistics`)).json();
  const { status } = await fetch(location, { method: 'DELETE' });
  must(status === 200, `DELETE ends the call (${status})`);
  return statistics;
}

async function callDemo(name, address, open, { setup, json }) {
  const server = await startServer(['--ice-address', address]);
  const peer = open();
  let statistics;
  try {
    statistics = await call(server.url, peer, setup);
  } finally {
    await peer.close();
    await server.stop();
  }
  const { role } = statistics.dtls;
  must(role === OUR_ROLES[setup], `the server's DTLS role is ${OUR_ROLES[setup]} (${role})`);
  const failures = statistics.packets.auth_failures;
  must(failures === 0, `every packet authenticates (${failures} failed)`);
  const facts = report(name, statistics, null, {});
  console.log(JSON.stringify(facts, null, 2));
  if (json) await writeFile(json, JSON.stringify([facts], null, 2) + '\n');
}

// Calls sluice-demo, which announces `address`, of loopback. `open` makes the library's side:
//   offer() and answer(sdp)    the offer with all candidates, and what the server answers
//   channel                    { opened: a promise, send(message), onMessage(handler) }
//   messages                   what goes over the channel: texts and Buffers
//   media                      for each stream { kind, send(payload), onPayload(handler) }
//   close()
export async function run(name, address, open) {
  const { values } = parseArgs({ options: { setup: { type: 'string' }, json: { type: 'string' } } });
  try {
    if (!OUR_ROLES[values.setup]) throw new Error('--setup wants the DTLS role of the server: active or passive');
    await isolate();
    await callDemo(name, address, open, values);
  } catch (error) {
    console.error(`${name}: ${error.message ?? error}`);
    process.exitCode = 1;
  }
}
