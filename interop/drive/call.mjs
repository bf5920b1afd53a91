// One whole call, and what is to be known of it.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as step from './page.mjs';

const CHAT = 'Does this come back?';
const BINARY_BYTES = 65536;
const OPPOSITE = { client: 'server', server: 'client' };
const TLS_VERSIONS = { FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3' };

// Browser and server must tell the same story, as far as the browser tells it (Firefox leaves some out).
function contradictions(server, { transport }) {
  // IANA's names and libwebrtc's.
  const plain = (profile) =>
    profile?.replace(/^SRTP_/, '').replace('_HMAC_', '_').replace('AES_CM_128', 'AES128_CM');
  const pairs = [
    ['version', server.dtls?.version, TLS_VERSIONS[transport?.tlsVersion]],
    ['suite', server.dtls?.cipher_suite, transport?.dtlsCipher],
    ['SRTP profile', plain(server.dtls?.srtp_profile), plain(transport?.srtpCipher)],
    ['role', OPPOSITE[server.dtls?.role], transport?.dtlsRole],
  ];
  return pairs.filter(([, ours, theirs]) => ours && theirs && theirs !== 'unknown' && ours !== theirs)
    .map(([what, ours, theirs]) => `${what}: the server says ${ours}, the browser ${theirs}`);
}

function report(name, server, faults) {
  const { dtls, packets } = server;
  return {
    browser: name,
    dtls_role: OPPOSITE[dtls?.role] ?? null,
    tls_version: dtls?.version ?? null,
    dtls_cipher: dtls?.cipher_suite ?? null,
    group: dtls?.group ?? null,
    srtp_profile: dtls?.srtp_profile ?? null,
    media_echoed: !faults.media,
    data_echoed: !faults.data,
    setup_ms: server.setup_ms,
    packets: {
      in: packets?.in ?? null,
      out: packets?.out ?? null,
      auth_failures: packets?.auth_failures ?? null,
      discarded: packets?.discarded ?? null,
    },
  };
}

async function attempt(work) {
  try {
    return (await work()) ?? null;
  } catch (error) {
    return error.message;
  }
}

// Waits for the connection, then sends words, bytes and pictures; by name, what went wrong.
async function exercise(page) {
  const connect = await attempt(() => step.waitConnected(page));
  if (connect) return { connect, data: 'no connection', media: 'no connection' };
  return {
    connect,
    data: await attempt(async () => {
      await step.chat(page, CHAT);
      if (!(await step.echoBinary(page, BINARY_BYTES))) return `${BINARY_BYTES} bytes came back changed`;
    }),
    media: await attempt(async () => {
      await step.waitMedia(page);
      await step.waitOwnPicture(page);
    }),
  };
}

async function takeScreenshot(page, file) {
  await mkdir(path.dirname(file), { recursive: true });
  await page.screenshot({ path: file });
}

// Drives `page` through a call of at least `seconds`, in the DTLS version given if there is one; returns the figures
// and, by name, what went wrong.
export async function runCall(page, { name, setup = '', seconds = 5, version, screenshot }) {
  await step.startCall(page, setup);
  const started = Date.now();
  const faults = await exercise(page);
  // The call lasts as long as was asked: more packets, steadier figures.
  const left = faults.connect ? 0 : seconds * 1000 - (Date.now() - started);
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));

  const location = await step.callLocation(page);
  if (!location) throw new Error(`there was no call: ${await step.pageState(page)}`);
  await page.evaluate(() => window.echo.refresh());
  const server = await step.serverStatistics(page);
  const browser = await step.browserStatistics(page);
  if (screenshot) await takeScreenshot(page, screenshot);

  await step.endCall(page);
  const afterwards = await fetch(new URL(`${location}/statistics`, page.url()));
  const failures = server.packets?.auth_failures ?? 0;
  return {
    server,
    browser,
    report: report(name, server, faults),
    faults: {
      ...faults,
      server: server.reason,
      agreement: contradictions(server, browser).join('; ') || null,
      version: version && server.dtls?.version !== version ? `it is ${server.dtls?.version}, not ${version}` : null,
      packets: failures > 0 ? `${failures} failed to authenticate` : null,
      end: afterwards.status === 404 ? null : `the ended call is still known (${afterwards.status})`,
    },
  };
}
