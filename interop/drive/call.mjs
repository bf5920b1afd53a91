// One whole call, and its results.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import * as step from './page.mjs';

const CHAT = 'Does this come back?';
const BINARY_BYTES = 65536;
const OPPOSITE = { client: 'server', server: 'client' };
const TLS_VERSIONS = { FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3' };

// What the server and the browser report differently. Firefox doesn't report all values.
function contradictions(server, { transport }) {
  // Maps both IANA's and libwebrtc's name of a profile to the same text.
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

export function report(name, server, protocol, faults) {
  const { dtls, packets } = server;
  return {
    browser: name,
    dtls_role: OPPOSITE[dtls?.role] ?? null,
    tls_version: dtls?.version ?? null,
    dtls_cipher: dtls?.cipher_suite ?? null,
    group: dtls?.group ?? null,
    srtp_profile: dtls?.srtp_profile ?? null,
    cryptex: dtls?.cryptex ?? null,
    ice_protocol: protocol ?? null,
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

// Waits for the connection, then sends text, binary data and pictures. Returns what went wrong, by name; null is
// success.
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

// What is wrong with SCTP's handshake: `skipped` by a=sctp-init, no packet of it has gone either way.
function handshakeFault(skipped, packets) {
  return skipped === (packets === 0) ? null : `${packets} packets of SCTP's handshake, a=sctp-init ${skipped}`;
}

// What the browser says of the protocol of its pair.
function wrongProtocol(expected, { local, remote }) {
  if (!expected) return null;
  const told = [local, remote].map((candidate) => candidate?.protocol);
  return told.every((protocol) => protocol === expected) ? null : `the pair is ${told.join(' - ')}, not ${expected}`;
}

// What server and browser say of the server's address in the pair.
function wrongAddress(expected, pair, { remote }) {
  if (!expected) return null;
  const host = expected.includes(':') ? `[${expected}]` : expected;
  if (pair?.replace(/^TCP /, '').startsWith(`host ${host}:`) && remote?.address === expected) return null;
  return `the server's pair is ${pair}, the browser's candidate ${remote?.address}, not ${expected}`;
}

// What is wrong with a=cryptex of the descriptions (RFC 9335). The server answers it where its libsrtp has cryptex.
function cryptexFault(isWanted, { offer, answer }, mode) {
  if (offer !== isWanted) return `the offer has ${offer ? 'a' : 'no'} a=cryptex`;
  if (answer !== (mode === 'on')) return `the answer has ${answer ? 'a' : 'no'} a=cryptex, and the server says ${mode}`;
  return answer && !offer ? 'the answer has a=cryptex by itself' : null;
}

// Makes a call of at least `seconds` on `page`, and expects DTLS `version`, ICE over `protocol` (udp or tcp) and the
// server's `address`, if they are given. Returns the figures, and by name what went wrong.
export async function runCall(page, options) {
  const { name, setup = '', seconds = 5, version, protocol, address, screenshot } = options;
  const { sctpInit = false, dtlsInStun = false, cryptex = false } = options;
  await step.startCall(page, setup);
  const started = Date.now();
  const faults = await exercise(page);
  // The call lasts as long as asked: more packets make steadier figures.
  const left = faults.connect ? 0 : seconds * 1000 - (Date.now() - started);
  if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));

  const location = await step.callLocation(page);
  if (!location) throw new Error(`the call did not start: ${await step.pageState(page)}`);
  await page.evaluate(() => window.echo.refresh());
  const server = await step.serverStatistics(page);
  const browser = await step.browserStatistics(page);
  const says = await step.saysCryptex(page);
  if (screenshot) await takeScreenshot(page, screenshot);

  await step.endCall(page);
  const afterwards = await fetch(new URL(`${location}/statistics`, page.url()));
  const failures = server.packets?.auth_failures ?? 0;
  return {
    server,
    browser,
    report: report(name, server, browser.local?.protocol, faults),
    faults: {
      ...faults,
      server: server.reason,
      agreement: contradictions(server, browser).join('; ') || null,
      version: version && server.dtls?.version !== version ? `DTLS version is ${server.dtls?.version}, not ${version}` : null,
      'SCTP handshake': handshakeFault(sctpInit, server.data?.sctp_handshake_packets),
      'DTLS in STUN': dtlsInStun === server.ice?.dtls_in_stun > 0 ? null : `${server.ice?.dtls_in_stun} datagrams`,
      cryptex: cryptexFault(cryptex, says, server.dtls?.cryptex),
      protocol: wrongProtocol(protocol, browser),
      address: wrongAddress(address, server.ice?.pair, browser),
      packets: failures > 0 ? `${failures} failed to authenticate` : null,
      end: afterwards.status === 404 ? null : `the ended call is still known (${afterwards.status})`,
    },
  };
}
