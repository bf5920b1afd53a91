#!/usr/bin/env node
// A Chromium call goes on while the server is restarted: restart.mjs [--restarts N] [--handover] [--json FILE]
// With --handover the next server is started first, and waits for the end of the one before. Default: 3 restarts, or 20
// with SLUICE_LONG in the environment.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { forget, gaps, noteArrivals } from './arrivals.mjs';
import { chromium } from './chromium.mjs';
import * as step from './page.mjs';
import { freeTcpPort, freeUdpPort } from './ports.mjs';
import { closeBrowser, isolate, startServer } from './processes.mjs';

// Between two packets of the same stream, as the browser receives them.
const MOST_GAP_MS = 200;
// Before and after a restart, so that a gap has packets on both sides.
const STEADY_MS = 1000;

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

// What a new ICE or DTLS handshake would change.
async function identity(page) {
  const { transport, pair } = await step.browserStatistics(page);
  return JSON.stringify({
    pair: transport.selectedCandidatePairId,
    changes: transport.selectedCandidatePairChanges,
    nominated: pair.nominated,
    ufrag: transport.iceLocalUsernameFragment,
    dtls: transport.dtlsState,
    cipher: [transport.tlsVersion, transport.dtlsCipher, transport.srtpCipher],
    certificates: [transport.localCertificateId, transport.remoteCertificateId],
  });
}

// The next server, and how long the end of the one before and the start took.
async function replace(server, args, isHandover) {
  const early = isHandover ? startServer(args) : null;
  await pause(STEADY_MS);
  const began = performance.now();
  await server.stop();
  const stopped = performance.now();
  const next = await (early ?? startServer(args));
  return { next, figures: { stop: stopped - began, start: performance.now() - stopped } };
}

async function restart(page, server, { args, isHandover }, number) {
  const before = await identity(page);
  await forget(page);
  const { next, figures } = await replace(server, args, isHandover);
  try {
    await pause(STEADY_MS);
    Object.assign(figures, await gaps(page));
    const after = await identity(page);
    must(after === before, `the same pair, certificates and DTLS state, not ${after} after ${before}`);
    const changes = await page.evaluate(() => window.changes);
    must(changes.length === 0, `no change of state (${changes})`);
    const statistics = await step.serverStatistics(page);
    must(statistics?.state === 'connected', 'the server knows the call');
    must(statistics.dtls.handshake_ms === null, 'the server has made no DTLS handshake');
    must(statistics.dtls.flights_retransmitted === 0, 'nothing of a handshake was sent');
    const { packets } = statistics;
    must(packets.rtp_in > 0 && packets.rtp_out > 0, 'the server echoes media');
    must(packets.auth_failures === 0, `each packet is authentic (${JSON.stringify(packets)})`);
    await step.chat(page, `after restart ${number}`);
    for (const kind of ['audio', 'video']) {
      must(figures[kind] <= MOST_GAP_MS, `a gap of ${MOST_GAP_MS} ms or less in ${kind} (${figures[kind].toFixed(0)})`);
    }
    return { next, figures };
  } catch (error) {
    await next.stop().catch(() => {});
    throw error;
  }
}

const rounded = (figures) => Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Math.round(value)]));

function summary(all) {
  return ['audio', 'video', 'stop', 'start'].map((name) => {
    const sorted = all.map((figures) => figures[name]).sort((a, b) => a - b);
    return `${name} median ${sorted[Math.floor(sorted.length / 2)]} ms, most ${sorted.at(-1)} ms`;
  }).join('; ');
}

async function run(folder, restarts, isHandover) {
  const args = ['--port', String(await freeTcpPort()), '--ice-port', String(await freeUdpPort()),
    '--state', path.join(folder, 'calls'), '--state-key', path.join(folder, 'key')];
  let server = await startServer(args);
  let browser = null;
  const all = [];
  try {
    browser = await chromium.launch();
    const page = await step.openPage(browser, server.url);
    await noteArrivals(page);
    await step.startCall(page, '');
    await step.waitConnected(page);
    await step.waitMedia(page);
    await step.chat(page, 'before');
    for (let i = 1; i <= restarts; ++i) {
      const { next, figures } = await restart(page, server, { args, isHandover }, i);
      server = next;
      all.push(rounded(figures));
      console.log(`restart ${i}: ${JSON.stringify(all.at(-1))}`);
    }
    await step.waitMedia(page);
    await step.waitOwnPicture(page);
    await step.endCall(page);
    return all;
  } finally {
    if (browser) await closeBrowser(browser);
    await server.stop();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      restarts: { type: 'string', default: process.env.SLUICE_LONG ? '20' : '3' },
      handover: { type: 'boolean', default: false },
      json: { type: 'string' },
    },
  });
  await isolate();
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-'));
  try {
    const all = await run(folder, Number(values.restarts), values.handover);
    console.log(summary(all));
    if (values.json) await writeFile(values.json, `${JSON.stringify(all)}\n`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
