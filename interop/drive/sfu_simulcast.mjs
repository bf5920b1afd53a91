#!/usr/bin/env node
// A publisher of sluice-sfu sends three layers, and viewers choose among them: their pictures have the sizes of these.
import { parseArgs } from 'node:util';
import { until } from './page.mjs';
import { BROWSERS, must, open, serverSays, stateIs, waitMedia, waitMoreFrames, withServer } from './room.mjs';

const USAGE = `usage: sfu_simulcast.mjs [--publisher chromium|firefox] [--screenshots PREFIX]`;

const WIDTHS = { h: 1280, m: 640, l: 320 };

const layersOf = ({ sessions }) =>
  sessions.find(({ role }) => role === 'publisher')?.tracks.find(({ kind }) => kind === 'video')?.layers ?? [];

// The size that the viewer decodes, not that of the element.
const decodes = (page, width) => until(page, async (wanted) => {
  const reports = await window.sfu.session.statistics();
  return reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.frameWidth === wanted;
}, width);

async function watch(browser, url) {
  const page = await open(browser, new URL('/watch?room=test', url).href);
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  await waitMedia(page);
  await until(page, () => {
    const list = document.querySelector('#pictures select');
    return list && !list.hidden && list.options.length === 4;
  });
  return page;
}

async function choose(page, rid) {
  const before = Date.now();
  await page.select('#pictures select', rid);
  await decodes(page, WIDTHS[rid]);
  await waitMoreFrames(page);
  return Date.now() - before;
}

async function run({ url }, browsers, screenshots) {
  const publisher = await open(browsers.publisher, new URL('/publish?room=test', url).href);
  await publisher.locator('#simulcast').click();
  await publisher.locator('#start').click();
  await stateIs(publisher, 'connected');
  const sent = layersOf(await serverSays(url, (json) => layersOf(json).length === 3 &&
    layersOf(json).every((layer) => layer.bits_per_second > 0)));
  console.log(`the publisher sends ${sent.map((layer) => `${layer.rid}: ${layer.bits_per_second} bit/s`).join(', ')}`);

  const viewers = [await watch(browsers.viewer, url), await watch(browsers.other, url)];
  for (const rid of ['l', 'h', 'm', 'l', 'm', 'h']) {
    const times = [];
    for (const viewer of viewers) times.push(await choose(viewer, rid));
    console.log(`both viewers see ${rid}, after ${times.join(' and ')} ms`);
  }
  if (screenshots) {
    await publisher.screenshot({ path: `${screenshots}-publish.png` });
    await viewers[0].screenshot({ path: `${screenshots}-watch.png` });
  }

  // Each has its own.
  await choose(viewers[0], 'l');
  const asked = await viewers[1].evaluate(async () =>
    Object.values(await window.sfu.session.layers()).map((section) => section.asked));
  must(asked.length === 1 && asked[0] === 'h', `the other one has still asked for h (${asked})`);

  // Without a wish it goes up again, as far as this machine can send and decode.
  await viewers[0].select('#pictures select', '');
  await until(viewers[0], async (least) => {
    const reports = await window.sfu.session.statistics();
    return reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.frameWidth > least;
  }, WIDTHS.l);
  console.log('a viewer without a wish gets a larger layer');

  const { counters } = await serverSays(url, () => true);
  must(counters.rtp_dropped === 0 && counters.malformed === 0, `every packet was of use: ${JSON.stringify(counters)}`);
}

async function main() {
  const { values } = parseArgs({
    options: {
      publisher: { type: 'string', default: 'chromium' },
      screenshots: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  if (!BROWSERS[values.publisher]) throw new Error(USAGE);
  await withServer([], async (server, browser) => {
    await run(server, {
      publisher: await browser(values.publisher),
      viewer: await browser('chromium'),
      other: await browser('firefox'),
    }, values.screenshots);
  });
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
