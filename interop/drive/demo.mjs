#!/usr/bin/env node
// Makes a call from headless browsers to sluice-demo and prints the results.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runCall } from './call.mjs';
import { chromium } from './chromium.mjs';
import { firefox } from './firefox.mjs';
import { openPage } from './page.mjs';
import { BROWSER_IPV6, OTHER_IPV6, closeBrowser, isolate, startServer } from './processes.mjs';
import { table } from './table.mjs';

const USAGE = `usage: demo.mjs [options]
  --browser chromium|firefox|all   browser that makes the call (default: chromium)
  --setup active|passive           the server's DTLS role: active is client (default: the server chooses)
  --ice lite|libnice               the server's ICE agent: all calls on one port, or a port per call (default: lite)
  --ice-candidates udp|tcp|both    what --ice lite announces (default: both); with tcp the call must go over TCP
  --ipv6                           the server serves and announces IPv6 alone, and the call must go over it; needs root
  --dtls-max 1.2|1.3               newest DTLS version of the server (default: 1.3)
  --browser-dtls-max 1.2|1.3       newest DTLS version of Firefox (default: 1.3)
  --sctp-init                      Chromium offers a=sctp-init: data channels without SCTP's handshake
  --dtls-in-stun                   Chromium's handshake rides in connectivity checks (SPED)
  --cryptex                        Chromium offers a=cryptex: RTP header extensions are encrypted, where the server's
                                   libsrtp has it
  --seconds N                      length of the call (default: 5)
  --json FILE                      write the figures as JSON: an array with one object per call
  --screenshot FILE                default: build/demo/<browser>.png
  --pcap FILE                      record the DTLS of the call for Wireshark, with the secrets inside
  --keylog FILE                    append the DTLS secrets to this file
  --serve                          only serve the page, for your own browser
  --port N                         HTTP port (default: any free port)
The environment variable SLUICE_DEMO_BINARY names the server's program.`;

const BROWSERS = { chromium: [chromium], firefox: [firefox], all: [chromium, firefox] };
const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        browser: { type: 'string', default: 'chromium' },
        setup: { type: 'string', default: '' },
        ice: { type: 'string', default: 'lite' },
        'ice-candidates': { type: 'string', default: '' },
        ipv6: { type: 'boolean', default: false },
        'dtls-max': { type: 'string', default: '1.3' },
        'browser-dtls-max': { type: 'string', default: '1.3' },
        'sctp-init': { type: 'boolean', default: false },
        'dtls-in-stun': { type: 'boolean', default: false },
        cryptex: { type: 'boolean', default: false },
        seconds: { type: 'string', default: '5' },
        json: { type: 'string' },
        screenshot: { type: 'string' },
        pcap: { type: 'string' },
        keylog: { type: 'string' },
        serve: { type: 'boolean', default: false },
        port: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const seconds = Number(values.seconds);
    if (!BROWSERS[values.browser]) throw new Error(`no browser '${values.browser}'`);
    if (values['sctp-init'] && values.browser !== 'chromium') throw new Error('only Chromium has a=sctp-init');
    if (values['dtls-in-stun'] && values.browser !== 'chromium') throw new Error('only Chromium has DTLS in STUN');
    if (values.cryptex && values.browser !== 'chromium') throw new Error('only Chromium has a=cryptex');
    if (!['lite', 'libnice'].includes(values.ice)) throw new Error(`no ICE agent '${values.ice}'`);
    if (!['', 'udp', 'tcp', 'both'].includes(values['ice-candidates'])) throw new Error('no such --ice-candidates');
    if (values.ipv6 && values.serve) throw new Error('--ipv6 is for calls of this script, not for --serve');
    if (!['', 'active', 'passive'].includes(values.setup)) throw new Error(`no setup '${values.setup}'`);
    if (!(seconds >= 0 && seconds <= 3600)) throw new Error('--seconds wants 0 to 3600');
    const limits = [values['dtls-max'], values['browser-dtls-max']];
    if (!limits.every((version) => ['1.2', '1.3'].includes(version))) throw new Error('versions are 1.2 and 1.3');
    const version = `DTLS ${limits.includes('1.2') ? '1.2' : '1.3'}`;
    return { ...values, seconds, version, browsers: BROWSERS[values.browser] };
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

// What the server announces with --ipv6. For UDP another address than the browser's: the server must name it in each
// datagram, or the kernel sends from the browser's. On one host a TCP connection leaves from the address that it goes
// to, and Chromium drops it if that is not its own.
function ipv6Address(args) {
  if (!args.ipv6) return null;
  return args['ice-candidates'] === 'tcp' ? BROWSER_IPV6 : OTHER_IPV6;
}

function serverArguments(args) {
  const passedOn = ['port', 'ice', 'ice-candidates', 'dtls-max', 'pcap', 'keylog'].filter((name) => args[name]);
  const ipv6 = args.ipv6 ? ['--host', '::1', '--ice-address', ipv6Address(args)] : [];
  return [...ipv6, ...passedOn.flatMap((name) => [`--${name}`, args[name]])];
}

async function serve(args) {
  const server = await startServer(serverArguments(args));
  console.log(`Open ${server.url} in your browser; Ctrl-C ends it.`);
  await server.ended;
}

async function call(kind, url, args) {
  const several = args.browsers.length > 1;
  const screenshot = args.screenshot && !several
    ? path.resolve(args.screenshot) : path.join(ROOT, 'build', 'demo', `${kind.name}.png`);
  console.log(`${kind.name}: calling`);
  const { 'sctp-init': sctpInit, 'dtls-in-stun': dtlsInStun, cryptex } = args;
  const browser = await kind.launch({ newest: args['browser-dtls-max'], sctpInit, dtlsInStun, cryptex });
  try {
    const page = await openPage(browser, url);
    const { setup, seconds, version } = args;
    // UDP is preferred where both are announced.
    const protocol = args['ice-candidates'] === 'tcp' ? 'tcp' : 'udp';
    const address = ipv6Address(args);
    const options = {
      name: kind.name, setup, seconds, version, protocol, address, sctpInit, dtlsInStun, cryptex, screenshot,
    };
    const result = await runCall(page, options);
    return { ...result, screenshot: path.relative(process.cwd(), screenshot) };
  } finally {
    await closeBrowser(browser);
  }
}

async function main() {
  const args = readArguments();
  if (args.help) return console.log(USAGE);
  if (args.serve) return serve(args);
  await isolate({ ipv6: args.ipv6 });
  const server = await startServer(serverArguments(args), { stderr: 'ignore' });
  const calls = [];
  try {
    for (const kind of args.browsers) calls.push(await call(kind, server.url, args));
  } finally {
    if (args.json) await writeFile(args.json, JSON.stringify(calls.map(({ report }) => report), null, 2) + '\n');
    await server.stop();
  }
  console.log('\n' + table(calls) + '\n');
  const faults = calls.flatMap(({ report, faults: found }) => Object.entries(found)
    .filter(([, why]) => why).map(([what, why]) => `${report.browser}: ${what}: ${why}`));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
