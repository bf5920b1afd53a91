// The pages of sluice-sfu in browsers, and the server's account of them.
import { chromium } from './chromium.mjs';
import { firefox } from './firefox.mjs';
import { until, WINDOW } from './page.mjs';
import { closeBrowser, isolate, startServer } from './processes.mjs';

export const BROWSERS = { chromium, firefox };

// Runs `work` with a server, and with browsers by name: one for each page, since browsers slow down pages that nobody
// sees. All of them end with it.
export const withServer = (args, work) => withServers([args], ([server], browser) => work(server, browser));

// The same with several servers; `all` has the arguments of each.
export async function withServers(all, work) {
  await isolate();
  const servers = [];
  const started = [];
  try {
    for (const args of all) servers.push(await startServer(args, { program: 'sluice-sfu' }));
    await work(servers, async (name) => {
      started.push(await BROWSERS[name].launch());
      return started.at(-1);
    });
  } finally {
    for (const each of started) await closeBrowser(each);
    for (const server of servers) await server.stop();
  }
}

export function must(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

// `prepare`: what is done with the page before it loads.
export async function open(browser, url, prepare = async () => {}) {
  const page = await browser.newPage();
  await prepare(page);
  await page.setViewport(WINDOW).catch(() => {}); // Firefox 140 can't
  page.on('pageerror', (error) => console.error('page:', error.message ?? error));
  await page.goto(url);
  await until(page, () => window.sfu !== undefined);
  return page;
}

export const stateIs = (page, state) =>
  until(page, (wanted) => document.getElementById('state').dataset.state === wanted, state);

// The viewer's picture moves and its sound is played.
export function waitMedia(page) {
  return until(page, async () => {
    const reports = await window.sfu.session.statistics();
    const of = (kind) => reports.find((report) => report.type === 'inbound-rtp' && report.kind === kind);
    const picture = document.querySelector('#pictures video');
    return of('video')?.framesDecoded > 0 && of('audio')?.jitterBufferEmittedCount > 0 &&
      of('audio').packetsReceived > 0 && picture?.videoWidth > 0 && picture.currentTime > 0;
  });
}

// More frames are decoded from now on.
export async function waitMoreFrames(page) {
  const frames = () => page.evaluate(async () => (await window.sfu.session.statistics())
    .find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video')?.framesDecoded ?? 0);
  const before = await frames();
  await until(page, async (least) => {
    const reports = await window.sfu.session.statistics();
    const video = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    return video?.framesDecoded > least;
  }, before);
}

// The server's account of itself, once `wanted` is true of it.
export async function serverSays(url, wanted) {
  const LIMIT_MS = 20_000;
  for (const end = Date.now() + LIMIT_MS; ;) {
    const json = await (await fetch(new URL('/sessions', url))).json();
    if (wanted(json)) return json;
    if (Date.now() > end) throw new Error(`waited too long for the server: ${JSON.stringify(json)}`);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
}
