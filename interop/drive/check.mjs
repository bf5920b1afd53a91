#!/usr/bin/env node
// Checks with a real browser that wrong calls fail, and that calls end: check.mjs --browser NAME [--check NAME]...
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { chromium } from './chromium.mjs';
import { firefox } from './firefox.mjs';
import * as step from './page.mjs';
import { closeBrowser, isolate, startServer } from './processes.mjs';

const BROWSERS = { chromium, firefox };
const POLL_MS = 50;
const CALLS_AT_ONCE = 50;
const LIMIT_MS = 20_000;

function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

// The server's statistics of a session, once `wanted` is true of them. The page keeps none after the call.
async function serverSays(url, wanted) {
  for (const end = Date.now() + LIMIT_MS; ;) {
    const response = await fetch(url);
    const statistics = response.ok ? await response.json() : { state: `HTTP ${response.status}` };
    if (wanted(statistics)) return statistics;
    if (Date.now() > end) throw new Error(`waited too long for the server's statistics: ${JSON.stringify(statistics)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const later = (time) => new Promise((resolve) => { setTimeout(resolve, time, false); });

// The UDP sockets of a process, as `ss -ulpn` shows them.
function udpSockets(pid) {
  const { stdout } = spawnSync('ss', ['-Huanp'], { encoding: 'utf8' });
  return stdout.split('\n').filter((line) => line.includes(`pid=${pid},`)).length;
}

async function sessionUrl(page) {
  await step.until(page, () => window.echo.call?.location);
  return new URL(await step.callLocation(page), page.url()).href;
}

async function nothingPassed(page, statistics, checkedLast) {
  const { audio, video, channel } = await step.browserStatistics(page);
  must(!(video?.packetsReceived > 0) && !(audio?.packetsReceived > 0), 'no media has come to the browser');
  must(!(channel?.messagesReceived > 0), 'no message has come to the browser');
  must(await page.evaluate(() => window.echo.call.channel.readyState) !== 'open', 'the channel is not open');
  must(statistics.state === 'ended', 'the session has ended');
  // A DTLS 1.3 client completes its handshake before the server has checked its certificate.
  must(statistics.setup_ms.dtls === null || checkedLast, 'DTLS never connected');
  must(statistics.packets.rtp_in === 0 && statistics.packets.rtp_out === 0, 'no RTP passed');
  must(statistics.data === null || (checkedLast && statistics.data.channels_opened === 0), 'no data passed');
}

// A fingerprint that doesn't match the certificate ends the handshake, on the side that received the fingerprint.
async function wrongFingerprint(page, which, setup) {
  await step.tamperFingerprint(page, which);
  await step.startCall(page, setup);
  const url = await sessionUrl(page);
  const statistics = await serverSays(`${url}/statistics`, ({ state }) => state === 'ended');
  await step.until(page, () => window.echo.call.connection.connectionState === 'failed');
  await nothingPassed(page, statistics, which === 'answer' && setup === 'active');
  return statistics.reason;
}

const CHECKS = {
  async 'wrong-offer-fingerprint'({ page, setup }) {
    const reason = await wrongFingerprint(page, 'offer', setup);
    must(reason === 'DTLS failed: peer rejected (bad_certificate)', `the server rejected the browser (${reason})`);
  },

  async 'wrong-answer-fingerprint'({ page, setup }) {
    const reason = await wrongFingerprint(page, 'answer', setup);
    must(reason.startsWith('DTLS failed: the peer sent a fatal alert'), `the browser rejected the server (${reason})`);
  },

  // Whatever the number of calls, the server has one UDP socket.
  async 'many-calls-on-one-port'({ page, pid }) {
    must(udpSockets(pid) === 1, `one socket before the calls (${udpSockets(pid)})`);
    const calls = step.callMany(page, CALLS_AT_ONCE);
    const seen = new Set();
    while (!(await Promise.race([calls.then(() => true), later(POLL_MS)]))) seen.add(udpSockets(pid));
    must(seen.size === 1 && seen.has(1), `one socket during the calls (${[...seen]})`);
  },

  async delete({ page, setup }) {
    await step.startCall(page, setup);
    const url = await sessionUrl(page);
    await step.waitConnected(page);
    const removed = await fetch(url, { method: 'DELETE' });
    must(removed.status === 200, `DELETE gives 200 (${removed.status})`);
    must((await fetch(url, { method: 'DELETE' })).status === 404, 'a second DELETE gives 404');
    must((await fetch(`${url}/statistics`)).status === 404, 'its statistics are gone');
    // RFC 8842 section 5.6: close_notify ends the association, so the browser doesn't wait for ICE to fail.
    await step.until(page, () => window.echo.call.channel.readyState === 'closed');
  },

  // Where both sides have a=sctp-init, SCTP has no handshake.
  async 'server-offers'({ page, sctpInit }) {
    const { location, hasSctpInit } = await step.answerServer(page);
    const statistics = await serverSays(new URL(`${location}/statistics`, page.url()).href, () => true);
    const packets = statistics.data.sctp_handshake_packets;
    must(hasSctpInit === sctpInit, `a=sctp-init in the answer: ${sctpInit} (${hasSctpInit})`);
    must((packets === 0) === sctpInit, `packets of SCTP's handshake: ${sctpInit ? 'none' : 'some'} (${packets})`);
    must(statistics.data.messages_echoed === 1, `one message (${statistics.data.messages_echoed})`);
  },

  // The page can start a second call, after the server has deleted the first.
  async 'call-again'({ page, setup }) {
    for (let i = 0; i < 2; ++i) {
      await step.startCall(page, setup);
      await step.waitConnected(page);
      await step.chat(page, `call ${i}`);
      await step.endCall(page);
    }
  },

  async 'end-stops-media'({ page, setup }) {
    for (const drawn of [false, true]) {
      if (drawn) await step.refuseCamera(page);
      await step.startCall(page, setup);
      await step.waitConnected(page);
      await step.keepTracks(page);
      must((await step.trackStates(page)).every((state) => state === 'live'), 'tracks are live during the call');
      await step.endCall(page);
      const states = await step.trackStates(page);
      must(states.length === 2 && states.every((state) => state === 'ended'), `both tracks have ended (${states})`);
      must(!(await step.isDrawing(page)), 'nothing is drawn after the call');
    }
  },

  // The user ends the call while the browser still asks for the camera.
  async 'end-during-prompt'({ page, setup }) {
    await step.delayCamera(page);
    await step.startCall(page, setup);
    await step.until(page, () => window.prompted);
    await step.endCall(page);
    await step.grantCamera(page);
    await step.until(page, () => window.granted?.getTracks().every(({ readyState }) => readyState === 'ended'));
    must(await step.pageState(page) === 'no call', 'the page shows that there is no call');
    must(await step.callLocation(page) === null, 'there is no session');
  },
};

// Each check has its own page and session. All share one browser, which takes longest to start.
async function run(browser, { url, pid }, name, setup, sctpInit) {
  const page = await step.openPage(browser, url);
  const what = `${name}${setup && `, server ${setup}`}`;
  try {
    await CHECKS[name]({ page, setup, pid, sctpInit });
    console.log(`${what}: passed`);
  } catch (error) {
    console.error(`${what}: ${error.message ?? error}`);
    process.exitCode = 1;
  } finally {
    await page.close();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      browser: { type: 'string' },
      'sctp-init': { type: 'boolean', default: false },
      check: { type: 'string', multiple: true, default: Object.keys(CHECKS) },
    },
  });
  const sctpInit = values['sctp-init'];
  const kind = BROWSERS[values.browser];
  if (!kind || values.check.some((name) => !CHECKS[name])) {
    const names = (of) => Object.keys(of).join('|');
    throw new Error(`usage: check.mjs --browser ${names(BROWSERS)} [--sctp-init] [--check ${names(CHECKS)}]...`);
  }
  await isolate();
  const limit = String(CALLS_AT_ONCE + 1);
  const server = await startServer(['--max-sessions', limit, '--max-sessions-per-address', limit]);
  let browser = null;
  try {
    browser = await kind.launch({ sctpInit });
    for (const name of values.check) {
      // The browser decides on the roles where the server offers.
      const roles = name === 'server-offers' ? [''] : ['active', 'passive'];
      for (const setup of roles) await run(browser, server, name, setup, sctpInit);
    }
  } finally {
    if (browser) await closeBrowser(browser);
    await server.stop();
  }
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
