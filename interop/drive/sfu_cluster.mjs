#!/usr/bin/env node
// Two nodes of a cluster of sluice-sfu: a browser publishes on one of them, browsers watch on the other one. A key frame
// that a viewer asks for is asked of the publisher.
import { parseArgs } from 'node:util';
import { isolate, startRedis } from './processes.mjs';
import { BROWSERS, must, open, serverSays, stateIs, waitMedia, waitMoreFrames, withServers } from './room.mjs';

const USAGE = `usage: sfu_cluster.mjs [--publisher chromium|firefox] [--threads N]
  --threads N   of the node with the viewers (default: 1)
The environment variable SLUICE_SFU_BINARY names the server's program. redis-server must be installed.`;

async function watch(browser, url, prepare) {
  const page = await open(browser, new URL('/watch?room=test', url).href, prepare);
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  await waitMedia(page);
  return page;
}

// A page asks for key frames by a worker: sendKeyFrameRequest() of WebRTC Encoded Transform. The script of this one is
// no file of the server.
const allowWorkers = (page) => page.setBypassCSP(true);
const prepareToAsk = (page) => page.evaluate(async () => {
  const code = `onrtctransform = ({ transformer }) => {
    onmessage = () => transformer.sendKeyFrameRequest();
    postMessage('ready');
    transformer.readable.pipeTo(transformer.writable);
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  const ready = new Promise((resolve) => { worker.onmessage = resolve; });
  const receiver = window.sfu.session.connection.getReceivers().find(({ track }) => track.kind === 'video');
  receiver.transform = new RTCRtpScriptTransform(worker);
  window.askForKeyFrame = () => worker.postMessage('ask');
  await ready;
});

const requestsAt = (publisher) => publisher.evaluate(async () => (await window.sfu.session.statistics())
  .filter(({ type, kind }) => type === 'outbound-rtp' && kind === 'video')
  .reduce((sum, { pliCount, firCount }) => sum + pliCount + firCount, 0));

async function run([origin, node], browsers) {
  const publisher = await open(browsers.publisher, new URL('/publish?room=test', origin.url).href);
  await publisher.locator('#start').click();
  await stateIs(publisher, 'connected');

  const viewer = await watch(browsers.viewer, node.url, allowWorkers);
  const other = await watch(browsers.other, node.url);
  const { rooms, counters } = await serverSays(node.url, (json) => json.rooms[0]?.viewers === 2);
  must(counters.pulled === 1 && rooms[0].pulled.length === 1, 'the node pulls one stream for both');
  const { sessions } = await serverSays(origin.url, () => true);
  const roles = sessions.map(({ role }) => role).sort();
  must(`${roles}` === 'node,publisher', `the origin has no viewer but the node (${roles})`);
  console.log('both viewers of the other node have a picture and sound');

  await prepareToAsk(viewer);
  await waitMoreFrames(viewer);
  const before = await requestsAt(publisher);
  const needed = (await serverSays(origin.url, () => true)).counters.key_frames_needed;
  await viewer.evaluate(() => window.askForKeyFrame());
  await serverSays(origin.url, (json) => json.counters.key_frames_needed > needed);
  for (let now = before; now <= before; now = await requestsAt(publisher)) await waitMoreFrames(viewer);
  await waitMoreFrames(other);
  console.log('the publisher was asked for the key frame that a viewer has asked for');

  await publisher.locator('#end').click();
  await stateIs(publisher, 'ended');
  for (const page of [viewer, other]) await stateIs(page, 'ended');
  await serverSays(node.url, (json) => json.rooms.length === 0);
  for (const { url } of [origin, node]) {
    const { counters: last } = await serverSays(url, () => true);
    must(last.malformed === 0 && last.rtp_dropped === 0, `every packet was of use: ${JSON.stringify(last)}`);
  }
  console.log('the publisher has left, and the viewers were told');
}

async function main() {
  const { values } = parseArgs({
    options: {
      publisher: { type: 'string', default: 'chromium' },
      threads: { type: 'string', default: '1' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  if (!BROWSERS[values.publisher]) throw new Error(USAGE);
  await isolate();
  const redis = await startRedis();
  const cluster = ['--cluster', `redis:${redis.address}`, '--cluster-token', 'of the test', '--room-hold', '1'];
  try {
    await withServers([cluster, [...cluster, '--threads', values.threads]], async (servers, browser) => {
      await run(servers, {
        publisher: await browser(values.publisher),
        viewer: await browser('chromium'),
        other: await browser('firefox'),
      });
    });
  } finally {
    await redis.stop();
  }
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
