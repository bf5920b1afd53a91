// The processes of a run: they are inside this machine, and none outlives it.
import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';

const START_LIMIT_MS = 10_000;
const END_LIMIT_MS = 3_000;
const ISOLATED = 'SLUICE_ISOLATED';
// A network with loopback alone, and a process namespace that ends with this script, however it ends.
const UNSHARE = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

// Runs this script again where nothing but loopback can be reached, if the system lets us. Returns only
// in that inner run, or where there is none.
export function isolate() {
  if (process.env[ISOLATED]) return;
  const allowed = spawnSync('unshare', [...UNSHARE, 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
  if (allowed.status !== 0) return;
  const script = 'ip link set lo up && exec "$@"';
  const inner = spawnSync('unshare',
    [...UNSHARE, 'sh', '-c', script, 'sh', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [ISOLATED]: '1' } });
  process.exit(inner.status ?? 1);
}

// Starts sluice-demo on a free port of loopback; resolves to its URL and what ends it.
export async function startServer(args = [], { stderr = 'inherit' } = {}) {
  const binary = process.env.SLUICE_DEMO_BINARY;
  if (!binary) throw new Error('SLUICE_DEMO_BINARY must name the sluice-demo to run (./dev demo sets it)');
  const server = spawn(binary, args, { stdio: ['ignore', 'pipe', stderr] });
  const ended = new Promise((resolve) => { server.once('exit', resolve); server.once('error', resolve); });
  const stop = async () => {
    server.kill('SIGTERM');
    const late = setTimeout(() => server.kill('SIGKILL'), END_LIMIT_MS);
    const code = await ended;
    clearTimeout(late);
    return code;
  };
  const url = await Promise.race([
    new Promise((resolve) => createInterface({ input: server.stdout }).once('line', resolve)),
    ended.then((why) => { throw new Error(`sluice-demo did not start: ${why}`); }),
    new Promise((_, reject) => {
      setTimeout(() => reject(new Error('sluice-demo says nothing')), START_LIMIT_MS).unref();
    }),
  ]).catch(async (error) => { await stop(); throw error; });
  return { url: url.trim(), stop, ended };
}

// Ends a browser that puppeteer has started, by force if it must be.
export async function closeBrowser(browser) {
  const child = browser.process();
  const late = setTimeout(() => child?.kill('SIGKILL'), END_LIMIT_MS);
  await browser.close().catch(() => {});
  clearTimeout(late);
}
