// The processes of a run. All end with this script.
import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { freeTcpPort } from './ports.mjs';

const START_LIMIT_MS = 10_000;
const END_LIMIT_MS = 5_000;
const ISOLATED = 'SLUICE_ISOLATED';
// A network namespace with loopback only, and a process namespace that ends with this script, however it ends.
const UNSHARE = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];
const LOOPBACK = 'ip link set lo up';
// Unique local addresses (RFC 4193), both of this host. Browsers take the first as a candidate, and Chromium not the
// second: it leaves out the interface lo.
export const BROWSER_IPV6 = 'fd53:6c75:6963::1';
export const OTHER_IPV6 = 'fd53:6c75:6963::2';
const IPV6 = ['ip link add browser type veth peer name other', 'ip link set other up', 'ip link set browser up',
  `ip addr add ${BROWSER_IPV6}/64 dev browser nodad`, `ip addr add ${OTHER_IPV6}/128 dev lo nodad`];

// All children end with this script, however it ends. Puppeteer does the same for its browsers.
const children = new Map();
process.once('exit', () => children.forEach((signal, child) => child.kill(signal)));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

// Starts a child that gets `lastSignal` if it still runs when this script ends. `ended` resolves to its exit code, to
// null after a signal, or to the error that kept it from starting.
function start(command, args, options, lastSignal) {
  const child = spawn(command, args, options);
  children.set(child, lastSignal);
  const ended = new Promise((resolve) => { child.once('exit', resolve); child.once('error', resolve); })
    .finally(() => children.delete(child));
  return { child, ended };
}

// Runs this script again where only loopback can be reached, if the system allows it. Resolves only in that inner run,
// or where it isn't allowed. `ipv6`: there are also addresses of IPv6, which calls over it need; throws without them.
export async function isolate({ ipv6 = false } = {}) {
  if (process.env[ISOLATED]) return;
  const network = [LOOPBACK, ...(ipv6 ? IPV6 : [])].join(' && ');
  const allowed = spawnSync('unshare', [...UNSHARE, 'sh', '-c', network], { encoding: 'utf8' });
  if (allowed.status !== 0 && !ipv6) return;
  if (allowed.status !== 0) {
    const why = allowed.error?.message ?? allowed.stderr.trim();
    throw new Error(`IPv6 needs root, for a network namespace with a veth pair: ${why}`);
  }
  const args = [...UNSHARE, 'sh', '-c', `${network} && exec "$@"`, 'sh', process.execPath, ...process.argv.slice(1)];
  // unshare ignores other signals, and ends everything inside with itself.
  const { ended } = start('unshare', args,
    { stdio: 'inherit', env: { ...process.env, [ISOLATED]: '1' } }, 'SIGKILL');
  const code = await ended;
  process.exit(Number.isInteger(code) ? code : 1);
}

// Which environment variable names the binary of a program.
const BINARIES = { 'sluice-demo': 'SLUICE_DEMO_BINARY', 'sluice-sfu': 'SLUICE_SFU_BINARY' };

// Starts a server on a free port of loopback. Resolves to its URL, its process, `stop`, `ended`, and with a piped
// `stderr` to that stream. stop() throws if the server did not exit with 0: a crash, or an error that a sanitizer found.
export async function startServer(args = [], { program = 'sluice-demo', stderr = 'inherit' } = {}) {
  const binary = process.env[BINARIES[program]];
  if (!binary) throw new Error(`${BINARIES[program]} must name the ${program} to run (./dev demo and ./dev sfu set it)`);
  const { child: server, ended } = start(binary, args, { stdio: ['ignore', 'pipe', stderr] }, 'SIGTERM');
  const stop = async () => {
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), END_LIMIT_MS);
    const code = await ended;
    clearTimeout(late);
    if (code !== 0) throw new Error(`${program} ended with ${code ?? server.signalCode}`);
  };
  const url = await Promise.race([
    new Promise((resolve) => createInterface({ input: server.stdout }).once('line', resolve)),
    ended.then((why) => { throw new Error(`${program} did not start: ${why}`); }),
    new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`${program} printed no URL`)), START_LIMIT_MS).unref();
    }),
  ]).catch(async (error) => { await stop().catch(() => {}); throw error; });
  return { url: url.trim(), pid: server.pid, stop, ended, stderr: server.stderr };
}

// Starts a Redis on a free port of loopback, which forgets all at its end. Resolves to its address and `stop`.
export async function startRedis() {
  const port = await freeTcpPort();
  const { child: redis, ended } = start('redis-server', ['--bind', '127.0.0.1', '--port', String(port), '--save', ''],
    { stdio: 'ignore' }, 'SIGTERM');
  const answers = () => new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
      .once('connect', () => { socket.destroy(); resolve(true); })
      .once('error', () => resolve(false));
  });
  const stop = () => { redis.kill('SIGTERM'); return ended; };
  const late = new Promise((resolve) => { setTimeout(resolve, START_LIMIT_MS, 'does not answer').unref(); });
  while (!await answers()) {
    const pause = new Promise((resolve) => { setTimeout(resolve, 20, null); });
    const why = await Promise.race([pause, late, ended.then((code) => `ended with ${code}`)]);
    if (why !== null) throw new Error(`redis-server ${why}`);
  }
  return { address: `127.0.0.1:${port}`, stop };
}

// Ends a browser that puppeteer has started, by force if it doesn't close.
export async function closeBrowser(browser) {
  const child = browser.process();
  const late = setTimeout(() => child?.kill('SIGKILL'), END_LIMIT_MS);
  await browser.close().catch(() => {});
  clearTimeout(late);
}
