#!/usr/bin/env node
// The path between a publisher and sluice-sfu is lost, and comes back with another address: the page restarts ICE by
// PATCH, and the viewer's picture goes on. Then the path is lost for good.
//   sfu_ice_restart.mjs [--publisher chromium|firefox] [--screenshot FILE]
import { parseArgs } from 'node:util';
import { until } from './page.mjs';
import { startRelay } from './relay.mjs';
import { must, open, serverSays, stateIs, waitMedia, waitMoreFrames, withServer } from './room.mjs';

const SERVER_PORT = 40101;
// Both are announced. The publisher knows only that of the relay, and the viewer only that of the server.
const RELAY_PORT = 40102;

// Before the page loads: of the server's candidates it knows those with this port.
const knowsOnly = (port) => (page) => page.evaluateOnNewDocument((known) => {
  const plain = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function set({ type, sdp }) {
    const lines = sdp.split('\r\n').filter((line) => !line.startsWith('a=candidate:') || line.split(' ')[5] === known);
    return plain.call(this, { type, sdp: lines.join('\r\n') });
  };
}, String(port));

// The statuses of all PATCH requests of a page.
function notePatches(page) {
  const statuses = [];
  page.on('response', (response) => {
    if (response.request().method() === 'PATCH') statuses.push(response.status());
  });
  return statuses;
}

// What only a new DTLS handshake would change, and what an ICE restart does.
const transportOf = (page) => page.evaluate(async () => {
  const transport = (await window.sfu.session.statistics()).find(({ type }) => type === 'transport');
  return {
    dtls: [transport.dtlsState, transport.dtlsRole, transport.tlsVersion, transport.dtlsCipher, transport.srtpCipher,
      transport.localCertificateId, transport.remoteCertificateId].join(),
    ufrag: transport.iceLocalUsernameFragment,
  };
});
const noteDtlsStates = (page) => page.evaluate(() => {
  const [{ sender: { transport } }] = window.sfu.session.connection.getTransceivers();
  window.dtlsStates = [];
  transport.addEventListener('statechange', () => window.dtlsStates.push(transport.state));
});

const publisherOf = ({ sessions }) => sessions.find(({ role }) => role === 'publisher');

// The page notices that its path is gone, and the server takes its restart.
async function waitRestart(publisher, patches) {
  const LIMIT_MS = 10_000;
  await stateIs(publisher, 'reconnecting');
  for (const end = Date.now() + LIMIT_MS; !patches.includes(200);) {
    must(Date.now() < end, `a PATCH is answered with 200 (${patches})`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  console.log(`the page has restarted ICE: PATCH ${patches}`);
}

// `before`: its transport and the server's account of it.
async function checkSame(url, publisher, before) {
  const after = await transportOf(publisher);
  must(after.dtls === before.dtls, `the same DTLS connection, not ${after.dtls} after ${before.dtls}`);
  must(after.ufrag !== before.ufrag, 'other ICE credentials');
  const states = await publisher.evaluate(() => window.dtlsStates);
  must(states.length === 0, `no change of the DTLS state (${states})`);
  const json = await serverSays(url, publisherOf);
  must(publisherOf(json).id === before.id, 'the same session');
  must(json.counters.ice_restarts > 0 && json.counters.publishers === 1, JSON.stringify(json.counters));
}

// The location of the page's session.
async function publish(page) {
  const made = page.waitForResponse((response) => response.request().method() === 'POST');
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  return (await made).headers().location;
}

async function restore(url, publisher, viewer, relay) {
  const patches = notePatches(publisher);
  const viewersPatches = notePatches(viewer);
  await noteDtlsStates(publisher);
  const before = { ...await transportOf(publisher), id: publisherOf(await serverSays(url, publisherOf)).id };
  const formerPorts = await relay.ports();
  await relay.close();
  await waitRestart(publisher, patches);
  const next = await startRelay(RELAY_PORT, SERVER_PORT);
  await stateIs(publisher, 'connected');
  await waitMoreFrames(viewer);
  await checkSame(url, publisher, before);
  must(viewersPatches.length === 0, 'the viewer has not restarted ICE');
  const ports = await next.ports();
  must(ports.length > 0 && ports.every((port) => !formerPorts.includes(port)),
    `the server sees another address (${ports} after ${formerPorts})`);
  console.log("the viewer's picture goes on, in the same session and DTLS connection");
  return next;
}

// The page ends its session, and can begin another one.
async function waitGivenUp(page, sentence) {
  await stateIs(page, 'failed');
  const text = await page.evaluate(() => document.getElementById('state').textContent);
  must(text.includes(sentence), `the page says why it has failed (${text})`);
  await until(page, () => window.sfu.session === null && !document.getElementById('start').disabled);
  console.log(`the page has given up: ${text}`);
}

const hurry = (page) => page.evaluate(() => {
  const plain = window.setTimeout;
  window.setTimeout = (work, time) => plain(work, time / 10);
});

async function run({ url }, browsers, screenshot) {
  const publisher = await open(browsers.publisher, new URL('/publish?room=test', url).href, knowsOnly(RELAY_PORT));
  let relay = await startRelay(RELAY_PORT, SERVER_PORT);
  await publish(publisher);
  const viewer = await open(browsers.viewer, new URL('/watch?room=test', url).href, knowsOnly(SERVER_PORT));
  await viewer.locator('#start').click();
  await stateIs(viewer, 'connected');
  await waitMedia(viewer);
  console.log('the viewer has a picture and sound');

  relay = await restore(url, publisher, viewer, relay);
  if (screenshot) await publisher.screenshot({ path: screenshot });

  // For good.
  await hurry(publisher);
  await relay.close();
  await waitGivenUp(publisher, '4 tries');
  await serverSays(url, ({ counters }) => counters.ended.deleted === 1);

  // The server forgets the session while the page can't be told.
  relay = await startRelay(RELAY_PORT, SERVER_PORT);
  const location = await publish(publisher);
  await relay.close();
  must((await fetch(new URL(location, url), { method: 'DELETE' })).status === 200, 'the session is ended');
  await waitGivenUp(publisher, 'There is no such session.');
}

async function main() {
  const { values } = parseArgs({
    options: { publisher: { type: 'string', default: 'chromium' }, screenshot: { type: 'string' } },
  });
  const args = ['--ice-port', String(SERVER_PORT), '--announce', `127.0.0.1:${SERVER_PORT}`,
    '--announce', `127.0.0.1:${RELAY_PORT}`];
  await withServer(args, async (server, browser) => {
    const publisher = await browser(values.publisher);
    await run(server, { publisher, viewer: await browser('chromium') }, values.screenshot);
  });
}

// The relay's sockets would keep the script alive after a failure.
main().then(() => process.exit(0), (error) => {
  console.error(error.message ?? error);
  process.exit(1);
});
