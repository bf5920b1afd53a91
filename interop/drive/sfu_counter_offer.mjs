#!/usr/bin/env node
// A viewer whose offer sluice-sfu can't take, in a real browser: the page answers the server's counter-offer, and sees
// and hears. Then the page restarts ICE in that session.
import { parseArgs } from 'node:util';
import { until } from './page.mjs';
import { BROWSERS, must, open, serverSays, stateIs, waitMedia, waitMoreFrames, withServer } from './room.mjs';

const USAGE = `usage: sfu_counter_offer.mjs [--viewer chromium|firefox]
The environment variable SLUICE_SFU_BINARY names the server's program.`;

// The page's first offer has only codecs that the room lacks; its answer is its own.
async function spoilOffers(page) {
  const spoil = () => {
    const send = window.fetch;
    window.fetch = (url, request) => send(url, request?.method === 'POST' && /^v=0/.test(request.body)
      ? { ...request, body: request.body.replaceAll(/(a=rtpmap:\d+ )[^/]+/g, '$1none') } : request);
  };
  await page.evaluateOnNewDocument(spoil);
}

// As if the browser had found no path any more.
function seemToFail() {
  const { connection } = window.sfu.session;
  Object.defineProperty(connection, 'connectionState', { configurable: true, value: 'failed' });
  connection.dispatchEvent(new Event('connectionstatechange'));
  delete connection.connectionState;
}

async function run({ url }, publishing, viewing) {
  const publisher = await open(publishing, new URL('/publish?room=test', url).href);
  await publisher.locator('#start').click();
  await stateIs(publisher, 'connected');

  const viewer = await open(viewing, new URL('/watch?room=test', url).href, spoilOffers);
  await viewer.locator('#start').click();
  await stateIs(viewer, 'connected');
  await waitMedia(viewer);
  const { counters } = await serverSays(url, ({ rooms }) => rooms[0]?.viewers === 1);
  must(counters.counter_offers === 1, `there is one counter-offer (${counters.counter_offers})`);
  console.log('the viewer has answered a counter-offer, and has a picture and sound');

  await viewer.evaluate(seemToFail);
  await serverSays(url, (json) => json.counters.ice_restarts === 1);
  await waitMoreFrames(viewer);
  console.log('ICE has restarted, and the picture goes on');

  await viewer.locator('#end').click();
  await stateIs(viewer, 'ended');
  await serverSays(url, ({ rooms }) => rooms[0].viewers === 0);
  await until(publisher, () => document.getElementById('state').dataset.state === 'connected');
}

async function main() {
  const { values } = parseArgs({ options: { viewer: { type: 'string', default: 'chromium' } } });
  if (!BROWSERS[values.viewer]) throw new Error(USAGE);
  await withServer([], async (server, browser) =>
    run(server, await browser('chromium'), await browser(values.viewer)));
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
