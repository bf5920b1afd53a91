#!/usr/bin/env node
// A room of sluice-sfu with real browsers: one publishes, others watch, come late and leave.
import { parseArgs } from 'node:util';
import { until } from './page.mjs';
import { chatInRoom } from './room_chat.mjs';
import { startServer } from './processes.mjs';
import { BROWSERS, must, open, serverSays, stateIs, waitMedia, waitMoreFrames, withServer } from './room.mjs';

const USAGE = `usage: sfu.mjs [options]
  --publisher chromium|firefox   (default: chromium)
  --viewer chromium|firefox      the second viewer; the first one is Chromium (default: firefox)
  --codec VP8|VP9|H264|AV1       of the publisher's video (default: its own choice)
  --screenshots PREFIX           writes PREFIX-publish.png, PREFIX-watch.png and PREFIX-overview.png
  --serve                        only serve the pages, for your own browsers
  --port N                       HTTP port (default: any free port)
The environment variable SLUICE_SFU_BINARY names the server's program.`;

// Counts the changes of a picture's size, at which the page asks which layers there are.
const countSizes = (page) => page.evaluateOnNewDocument(() => {
  window.sizes = 0;
  document.addEventListener('resize', () => { ++window.sizes; }, true);
});

// Where there is one layer, the page need not ask again and again.
async function asksForLayersOnce(page) {
  const [asked, sizes] = await page.evaluate(() =>
    [performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('/layer')).length, window.sizes]);
  must(asked <= 1 + sizes, `the viewer asks for layers once, and when the picture's size changes: ${asked}, ${sizes}`);
}

async function watch(browser, url, start = true) {
  const page = await open(browser, new URL('/watch?room=test', url).href, countSizes);
  if (!start) return page;
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  await waitMedia(page);
  return page;
}

// The page of the server's rooms and sessions, at the width of a phone.
async function overview(browser, url, screenshots) {
  const page = await browser.newPage();
  await page.setViewport({ width: 390, height: 844 });
  page.on('pageerror', (error) => console.error('page:', error.message ?? error));
  await page.goto(url);
  await until(page, () => {
    const texts = (row) => [...row.cells].map((cell) => cell.textContent);
    const cells = (id) => [...document.querySelectorAll(`#${id} tr`)].map(texts);
    const [[room, publishers, viewers]] = cells('rooms').concat([[]]);
    const sessions = cells('sessions');
    return room === 'test' && publishers === '1' && viewers === '2' && sessions.length === 3 &&
      sessions[0][0] === 'publisher' &&
      sessions.every(([, , state, bitrate]) => state === 'connected' && parseInt(bitrate, 10) > 0) &&
      document.getElementById('state').textContent === '1 room, 3 sessions';
  });
  const isWide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  must(!isWide, 'the overview fits the screen of a phone');
  if (screenshots) await page.screenshot({ path: `${screenshots}-overview.png` });
  await page.close();
}

async function run({ url }, browsers, { codec, screenshots }) {
  // Who comes first waits.
  const early = await watch(browsers.viewer, url, false);
  await early.locator('#start').click();
  await stateIs(early, 'waiting');

  const publisher = await open(browsers.publisher, new URL('/publish?room=test', url).href);
  await publisher.select('#codec', codec);
  await publisher.locator('#start').click();
  await stateIs(publisher, 'connected');
  await stateIs(early, 'connected');
  await waitMedia(early);
  console.log('the viewer that waited has a picture and sound');

  // Long after the first key frame.
  const asked = (await serverSays(url, () => true)).counters.key_frames_asked;
  const late = await watch(browsers.late, url);
  const { counters } = await serverSays(url, (json) => json.counters.key_frames_asked > asked);
  must(counters.forwarded.packets > 0, 'packets are forwarded');
  console.log('the viewer that came late has a picture and sound, after a request for a key frame');
  await waitMoreFrames(early);
  await serverSays(url, ({ sessions }) => sessions.filter(({ role }) => role === 'viewer')
    .every(({ streams }) => streams.every((stream) => stream.codec && stream.rtt_ms !== null)));
  const { sessions } = await serverSays(url, () => true);
  const [, video] = sessions.find(({ role }) => role === 'publisher').tracks;
  must(video.codec.startsWith(codec), `the video is ${codec} (${video.codec})`);
  console.log('both viewers report on the sender reports that they get');
  await chatInRoom({ publisher, 'first viewer': early, 'second viewer': late });
  const { data } = (await serverSays(url, () => true)).counters;
  must(data.relayed === 6 && data.sent === 12, `each message goes to both others: ${JSON.stringify(data)}`);
  console.log('what one of the three writes comes to the two others, and so do bytes');
  if (screenshots) {
    await publisher.screenshot({ path: `${screenshots}-publish.png` });
    await late.screenshot({ path: `${screenshots}-watch.png` });
  }

  await overview(browsers.overview, url, screenshots);
  console.log('the overview shows the room and its sessions');

  await asksForLayersOnce(late);
  await early.locator('#end').click();
  await stateIs(early, 'ended');
  await serverSays(url, ({ rooms }) => rooms.length === 1 && rooms[0].viewers === 1);
  await waitMoreFrames(late);
  console.log('a viewer has left, the other one goes on');

  await publisher.locator('#end').click();
  await stateIs(publisher, 'ended');
  await stateIs(late, 'ended');
  const { counters: last } = await serverSays(url, ({ rooms }) => rooms.length === 0);
  // The browser's close_notify and the page's DELETE are on their way at the same time.
  const { deleted, closed_by_peer: closed, room_ended: told } = last.ended;
  must(deleted + closed === 2 && told === 1, `all sessions have ended: ${JSON.stringify(last.ended)}`);
  must(last.malformed === 0 && last.rtp_dropped === 0, `every packet was of use: ${JSON.stringify(last)}`);
  console.log('the publisher has left, and its viewer was told');
}

async function main() {
  const { values } = parseArgs({
    options: {
      publisher: { type: 'string', default: 'chromium' },
      viewer: { type: 'string', default: 'firefox' },
      codec: { type: 'string', default: '' },
      screenshots: { type: 'string' },
      serve: { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  if (!BROWSERS[values.publisher] || !BROWSERS[values.viewer]) throw new Error(USAGE);
  if (values.serve) {
    const server = await startServer(['--port', values.port], { program: 'sluice-sfu' });
    console.log(`Open ${server.url} in your browser; Ctrl-C ends it.`);
    return server.ended;
  }
  await withServer(['--port', values.port, '--room-hold', '1'], async (server, browser) => {
    await run(server, {
      publisher: await browser(values.publisher),
      viewer: await browser(values.viewer),
      late: await browser('chromium'),
      overview: await browser('chromium'),
    }, values);
  });
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
