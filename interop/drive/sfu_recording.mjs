#!/usr/bin/env node
// sluice-load publishes files (IVF, Ogg) that real encoders have made, and a real browser watches: the pictures are
// decoded and the tone is played, also after the files have begun anew.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { until } from './page.mjs';
import { BROWSERS, must, open, serverSays, stateIs, waitMedia, withServer } from './room.mjs';

const USAGE = `usage: sfu_recording.mjs [--codec VP8|VP9|AV1] [--viewer chromium|firefox]
The environment variables SLUICE_SFU_BINARY and SLUICE_LOAD_BINARY name the programs.`;

const RECORD = fileURLToPath(new URL('../load/record_media.py', import.meta.url));
const PICTURES = 40; // of a file
const WIDTH = 320;

// Publishes until stop() is called, which throws if it did not end in order.
function publish(url, folder, codec) {
  const load = spawn(process.env.SLUICE_LOAD_BINARY, [
    '--publish', new URL('/whip/test', url).href, '--video', join(folder, `${codec}.ivf`),
    '--audio-file', join(folder, 'opus.ogg'), '--duration', '100'], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => { load.once('exit', resolve); load.once('error', resolve); });
  process.once('exit', () => load.kill('SIGKILL'));
  return async () => {
    load.kill('SIGTERM');
    const code = await ended;
    must(code === 0, `sluice-load ends in order (${code})`);
  };
}

async function watch(browser, url) {
  const page = await open(browser, new URL('/watch?room=test', url).href);
  await page.locator('#start').click();
  await stateIs(page, 'connected');
  await waitMedia(page);
  // More than the files have.
  await until(page, async ({ least, width }) => {
    const reports = await window.sfu.session.statistics();
    const video = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    return video?.framesDecoded > least && document.querySelector('#pictures video').videoWidth === width;
  }, { least: 2 * PICTURES, width: WIDTH });
}

async function main() {
  const { values } = parseArgs({
    options: { codec: { type: 'string', default: 'VP8' }, viewer: { type: 'string', default: 'chromium' } },
  });
  if (!BROWSERS[values.viewer] || !process.env.SLUICE_LOAD_BINARY) throw new Error(USAGE);
  await withServer([], async ({ url }, browser) => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-'));
    try {
      await promisify(execFile)('/usr/bin/python3', ['-B', RECORD, folder]);
      const stop = publish(url, folder, values.codec);
      await serverSays(url, ({ sessions }) => sessions[0]?.tracks?.[0].layers[0].packets > 0);
      await watch(await browser(values.viewer), url);
      await stop();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
  console.log(`${values.viewer} has decoded ${values.codec} from a file, and played its sound`);
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
