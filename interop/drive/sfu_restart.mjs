#!/usr/bin/env node
// A room of sluice-sfu goes on while the server is replaced again and again: pictures, sound, chat, and no connection
// is made anew.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { forget, gaps, noteArrivals, notePictures } from './arrivals.mjs';
import { chromium } from './chromium.mjs';
import { firefox } from './firefox.mjs';
import { freeTcpPort, freeUdpPort } from './ports.mjs';
import { closeBrowser, isolate, startServer } from './processes.mjs';
import { chatInRoom } from './room_chat.mjs';
import { must, open, serverSays, stateIs, waitMedia, waitMoreFrames } from './room.mjs';

const USAGE = `usage: sfu_restart.mjs [options]
  --way replace|restart  the server starts the next one on SIGUSR2 (replace, the default), or ends on SIGTERM while the
                         next one waits for its state file
  --publisher chromium|firefox  (default: chromium)
  --simulcast            the publisher sends layers
  --restarts N           (default: 3, or 20 with SLUICE_LONG in the environment)
  --most MS              the longest gap that is allowed (default: 1000; a machine that is busy makes gaps by itself)
  --load VIEWERS         as many of sluice-load are in another room meanwhile; with replace they may not lose anything
  --json FILE            writes the gaps
The environment variables SLUICE_SFU_BINARY and SLUICE_LOAD_BINARY name the programs.`;

const BROWSERS = { chromium, firefox };
// Before and after a restart, so that a gap has packets on both sides.
const STEADY_MS = 1500;
const END_LIMIT_MS = 10_000;
// What a restart and its checks take, generously.
const RESTART_S = 15;
// Where the port is closed for a moment.
const MOST_LOST_PERCENT = 1;

const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

async function isRunning(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
}

async function waitForEnd(pid) {
  for (const end = Date.now() + END_LIMIT_MS; await isRunning(pid);) {
    must(Date.now() < end, `process ${pid} ends`);
    await pause(10);
  }
}

// A server and those that take its place.
class Servers {
  #args;
  #server;
  #pid;
  #log = [];

  constructor(args) { this.#args = args; }

  get url() { return this.#server.url; }
  // The events of all of them, in their order.
  get log() { return this.#log; }

  async start() {
    const server = await startServer(this.#args, { program: 'sluice-sfu', stderr: 'pipe' });
    this.#read(server.stderr);
    this.#server = server;
    this.#pid = server.pid;
  }

  // How long it takes until the next one serves.
  async replace() {
    const from = this.#log.length;
    const began = performance.now();
    process.kill(this.#pid, 'SIGUSR2');
    const { process: next } = await this.#event('replaced', from);
    await this.#event('started', from);
    const took = performance.now() - began;
    await waitForEnd(this.#pid);
    this.#pid = Number(next);
    return took;
  }

  async restart() {
    const from = this.#log.length;
    const before = this.#server;
    const early = startServer(this.#args, { program: 'sluice-sfu', stderr: 'pipe' });
    await pause(STEADY_MS);
    const began = performance.now();
    await before.stop();
    this.#server = await early;
    this.#pid = this.#server.pid;
    const took = performance.now() - began;
    this.#read(this.#server.stderr);
    await this.#event('started', from);
    return took;
  }

  async stop() {
    process.kill(this.#pid, 'SIGINT');
    await waitForEnd(this.#pid);
  }

  #read(stream) {
    createInterface({ input: stream }).on('line', (line) => {
      try {
        this.#log.push(JSON.parse(line));
      } catch {
        console.error(line); // of a sanitizer
      }
    });
  }

  async #event(name, from) {
    for (const end = Date.now() + END_LIMIT_MS; Date.now() < end; await pause(5)) {
      const found = this.#log.slice(from).find(({ event }) => event === name);
      if (found) return found;
    }
    throw new Error(`expected: ${name} in the log, not ${JSON.stringify(this.#log.slice(from))}`);
  }
}

// What a new ICE or DTLS handshake would change.
const identity = (page) => page.evaluate(async () => {
  const reports = await window.sfu.session.statistics();
  const transport = reports.find(({ type }) => type === 'transport');
  const chosen = ({ type, selected, id }) => type === 'candidate-pair' &&
    (selected || id === transport?.selectedCandidatePairId);
  const pair = reports.find(chosen);
  return JSON.stringify([pair.id, pair.nominated, transport?.selectedCandidatePairChanges,
    transport?.iceLocalUsernameFragment, transport?.dtlsState, transport?.srtpCipher, transport?.localCertificateId,
    window.sfu.session.connection.remoteDescription.sdp.match(/a=ice-ufrag:.*/)[0]]);
});

const each = (pages, what) => Promise.all(Object.values(pages).map(what));

async function restart(servers, { way, most }, { publisher, viewers }, number) {
  const pages = { publisher, ...viewers };
  const before = await each(pages, identity);
  await each(viewers, forget);
  await pause(STEADY_MS);
  const from = servers.log.length;
  const took = await servers[way]();
  await pause(STEADY_MS);
  const figures = { took };
  for (const [name, page] of Object.entries(viewers)) {
    for (const [kind, gap] of Object.entries(await gaps(page))) figures[`${name} ${kind}`] = gap;
    const changes = await page.evaluate(() => window.changes);
    must(changes.length === 0, `no change of a state of ${name} (${changes})`);
    await waitMoreFrames(page);
  }
  const after = await each(pages, identity);
  must(JSON.stringify(after) === JSON.stringify(before), `the same connections, not ${after} after ${before}`);
  const events = servers.log.slice(from).map(({ event }) => event);
  must(events.filter((event) => event === 'session_restored').length >= Object.keys(pages).length,
    `all sessions go on: ${events}`);
  must(!events.includes('session_lost') && !events.includes('session_connected'), `none is made anew: ${events}`);
  await chatInRoom(pages);
  for (const [name, figure] of Object.entries(figures)) figures[name] = Math.round(figure);
  console.log(`restart ${number}: ${JSON.stringify(figures)}`);
  for (const [name, gap] of Object.entries(figures)) {
    must(name === 'took' || gap <= most, `a gap of ${most} ms or less: ${name}, ${gap} ms`);
  }
  return figures;
}

// The load, which begins now. Resolves to what it has seen; throws if that is not what it should be.
async function load(url, { way, load: viewers, restarts, most, folder }) {
  const result = path.join(folder, 'load.json');
  const command = process.env.SLUICE_LOAD_BINARY;
  if (!command) throw new Error('SLUICE_LOAD_BINARY must name the sluice-load to run');
  const args = ['--publish', new URL('/whip/load', url).href, '--watch', new URL('/whep/load', url).href, '--viewers', viewers,
    '--duration', restarts * RESTART_S, '--max-loss', way === 'replace' ? 0 : MOST_LOST_PERCENT, '--max-corrupt', 0, '--max-duplicates', 0, '--max-breaks', 0,
    '--max-gap', most, '--json', result];
  const child = spawn(command, args.map(String), { stdio: 'ignore' });
  await once(child, 'exit');
  const seen = JSON.parse(await readFile(result));
  must(child.exitCode === 0, `the load loses nothing: ${JSON.stringify(seen.violations)}`);
  return seen;
}

async function watch(browser, url, note) {
  const page = await open(browser, new URL('/watch?room=test', url).href);
  await note(page);
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  await waitMedia(page);
  await page.evaluate(() => window.notePicture?.(document.querySelector('#pictures video')));
  return page;
}

async function run(servers, browsers, options) {
  const publisher = await open(browsers.publisher, new URL('/publish?room=test', servers.url).href);
  if (options.simulcast) await publisher.locator('#simulcast').click();
  await publisher.locator('#start').click();
  await stateIs(publisher, 'connected');
  const viewers = {
    chromium: await watch(browsers.viewer, servers.url, noteArrivals),
    firefox: await watch(browsers.other, servers.url, notePictures),
  };
  await chatInRoom({ publisher, ...viewers });
  const others = options.load > 0 ? load(servers.url, options) : null;
  others?.catch(() => {}); // until it is waited for
  await serverSays(servers.url, ({ sessions }) => sessions.length >= options.load + 3 &&
    sessions.every(({ state }) => state === 'connected'));
  const all = [];
  for (let i = 1; i <= options.restarts; ++i) {
    all.push(await restart(servers, options, { publisher, viewers }, i));
  }
  const { counters } = await serverSays(servers.url, () => true);
  must(counters.malformed === 0 && counters.rtp_dropped === 0, `every packet was of use: ${JSON.stringify(counters)}`);
  // Its Location is that of the first server.
  const before = await serverSays(servers.url, ({ sessions }) => sessions.length >= 3);
  await viewers.firefox.locator('#end').click();
  await stateIs(viewers.firefox, 'ended');
  await serverSays(servers.url, ({ sessions }) => sessions.length < before.sessions.length);
  await waitMoreFrames(viewers.chromium);
  if (others) console.log(`load: ${JSON.stringify(await others)}`);
  return all;
}

async function main() {
  const { values } = parseArgs({
    options: {
      way: { type: 'string', default: 'replace' },
      publisher: { type: 'string', default: 'chromium' },
      simulcast: { type: 'boolean', default: false },
      restarts: { type: 'string', default: process.env.SLUICE_LONG ? '20' : '3' },
      most: { type: 'string', default: '1000' },
      load: { type: 'string', default: '0' },
      json: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  if (!['replace', 'restart'].includes(values.way) || !BROWSERS[values.publisher]) throw new Error(USAGE);
  await isolate();
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-'));
  const servers = new Servers(['--port', String(await freeTcpPort()), '--ice-port', String(await freeUdpPort()),
    '--state', path.join(folder, 'state'), '--max-sessions-per-address', '4000', '--log-format', 'json']);
  await servers.start();
  const started = [];
  const browser = async (kind) => {
    started.push(await kind.launch());
    return started.at(-1);
  };
  try {
    const options = { way: values.way, restarts: Number(values.restarts), most: Number(values.most),
      load: Number(values.load), simulcast: values.simulcast, folder };
    const all = await run(servers, {
      publisher: await browser(BROWSERS[values.publisher]),
      viewer: await browser(chromium),
      other: await browser(firefox),
    }, options);
    if (values.json) await writeFile(values.json, `${JSON.stringify(all)}\n`);
  } finally {
    for (const one of started) await closeBrowser(one);
    await servers.stop();
    await rm(folder, { recursive: true });
  }
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
