#!/usr/bin/env node
// Measures how long Chromium's calls to sluice-demo take to the first media and to the data channel, over a path with
// delay and loss, with and without DTLS in STUN (SPED) and a=sctp-init (SNAP).
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { chromium } from './chromium.mjs';
import * as step from './page.mjs';
import { closeBrowser, isolate, startServer } from './processes.mjs';
import { startRelay } from './relay.mjs';

const USAGE = `usage: set_up_times.mjs [options]
  --calls N      of each kind on each path (default: 20)
  --rtt MS       round-trip time of the path (default: 100)
  --loss LIST    probabilities in percent (default: 0,10,25)
  --json FILE    write the times of all calls
The environment variable SLUICE_DEMO_BINARY names the server's program.`;

const RELAY_PORT = 40_001;
const SERVER_PORT = 40_002;
const LIMIT_MS = 30_000;
const KINDS = [
  { name: 'neither', dtlsInStun: false, sctpInit: false },
  { name: 'DTLS in STUN', dtlsInStun: true, sctpInit: false },
  { name: 'a=sctp-init', dtlsInStun: false, sctpInit: true },
  { name: 'both', dtlsInStun: true, sctpInit: true },
];

// The server's times: from the offer to the first RTP packet and to the first message, or null after the limit.
async function call(page) {
  await step.startCall(page, '');
  const end = Date.now() + LIMIT_MS;
  let times = {};
  while ((times.media == null || times.data == null) && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (await step.callLocation(page)) times = (await step.serverStatistics(page)).setup_ms;
  }
  await step.endCall(page);
  return { media: times.media ?? null, data: times.data ?? null };
}

async function measure(kind, { calls, rtt, losses }) {
  const server = await startServer(['--ice-port', String(SERVER_PORT), '--announce', `127.0.0.1:${RELAY_PORT}`],
    { stderr: 'ignore' });
  const relay = await startRelay(RELAY_PORT, SERVER_PORT);
  const browser = await chromium.launch(kind);
  const results = [];
  try {
    const page = await step.openPage(browser, server.url);
    for (const loss of losses) {
      const times = [];
      for (let i = 0; i < calls; ++i) {
        relay.set({ delay: rtt / 2, loss: loss / 100, seed: i + 1 });
        times.push(await call(page));
      }
      results.push({ kind: kind.name, loss, times });
    }
  } finally {
    await closeBrowser(browser);
    await relay.close();
    await server.stop();
  }
  return results;
}

// A call that did not come about counts as the slowest.
function quantile(times, what, part) {
  const sorted = times.map((each) => each[what] ?? Infinity).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

async function main() {
  const { values } = parseArgs({
    options: {
      calls: { type: 'string', default: '20' },
      rtt: { type: 'string', default: '100' },
      loss: { type: 'string', default: '0,10,25' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  await isolate();
  const options = { calls: Number(values.calls), rtt: Number(values.rtt), losses: values.loss.split(',').map(Number) };
  const all = [];
  console.log('loss  kind           media: median    p95   data: median    p95 (ms)');
  for (const kind of KINDS) {
    for (const { loss, times } of await measure(kind, options)) {
      all.push({ kind: kind.name, loss, times });
      const figures = ['media', 'data'].flatMap((what) => [0.5, 0.95].map((part) => quantile(times, what, part)));
      const cells = figures.map((value) => value.toFixed(0).padStart(8));
      console.log(`${String(loss).padStart(3)}%  ${kind.name.padEnd(14)}     ${cells.join('  ')}`);
    }
  }
  if (values.json) await writeFile(values.json, JSON.stringify(all, null, 2) + '\n');
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
