// The demo's page in a browser: one function for each step of a call.

export const WINDOW = { width: 1280, height: 900 };
const STEP_LIMIT_MS = 20_000;
const POLL_MS = 50;

// Waits until `predicate` is true in the page. Puppeteer's own waiting evaluates text as code, which the page's
// Content-Security-Policy forbids in older browsers.
export async function until(page, predicate, ...args) {
  for (const end = Date.now() + STEP_LIMIT_MS; !(await page.evaluate(predicate, ...args));) {
    if (Date.now() > end) throw new Error(`waited too long for ${predicate}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function openPage(browser, url) {
  const page = await browser.newPage();
  page.setDefaultTimeout(STEP_LIMIT_MS);
  page.on('pageerror', (error) => console.error('page:', error.message ?? error));
  await page.goto(url);
  await until(page, () => window.echo !== undefined);
  return page;
}

// `setup`: the server's DTLS role; empty: the server chooses.
export async function startCall(page, setup) {
  await page.select('#setup', setup);
  await page.locator('#start').click();
}

export async function waitConnected(page) {
  await until(page, () => {
    const call = window.echo.call;
    return call?.connection.connectionState === 'connected' && call.channel.readyState === 'open';
  });
}

// Sends `text` in the chat and waits until the same text has come back.
export async function chat(page, text) {
  await page.type('#text', text);
  await page.locator('#send').click();
  await until(page, (expected) => [...document.querySelectorAll('#messages .echo')]
    .some((item) => item.firstChild.textContent === expected), text);
}

// Sends `size` bytes that don't repeat. Returns whether the same bytes come back.
export function echoBinary(page, size) {
  return page.evaluate((length) => new Promise((resolve) => {
    const { call } = window.echo;
    const sent = new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8) * 17) & 0xff);
    const receive = ({ detail }) => {
      if (!(detail instanceof ArrayBuffer)) return;
      call.removeEventListener('message', receive);
      const back = new Uint8Array(detail);
      resolve(back.length === sent.length && back.every((byte, i) => byte === sent[i]));
    };
    call.addEventListener('message', receive);
    call.channel.send(sent);
  }), size);
}

// Waits until video frames have been decoded and audio has been played. Both can only come from the echo.
export async function waitMedia(page) {
  await until(page, async () => {
    const { audio, video } = await window.echo.call.browserStatistics();
    const picture = document.getElementById('remote');
    return video?.framesDecoded > 0 && audio?.packetsReceived > 0 && audio?.jitterBufferEmittedCount > 0 &&
      picture.videoWidth > 0 && picture.currentTime > 0;
  });
}

// Waits until the remote picture moves and looks like the local one, which shows that the browser's own picture came
// back. The pictures of the fake cameras change all the time; Firefox's has a single colour.
export async function waitOwnPicture(page) {
  await until(page, () => {
    const MOST_DIFFERENCE = 48; // of 255, on average: compression and the delay
    const pixels = (id) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
      const context = canvas.getContext('2d');
      context.drawImage(document.getElementById(id), 0, 0, 64, 48);
      return context.getImageData(0, 0, 64, 48).data;
    };
    const difference = (a, b) => a.reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
    const remote = pixels('remote');
    window.firstPicture ??= remote;
    return difference(remote, window.firstPicture) > 0 &&
      remote.some((value, i) => i % 4 !== 3 && value > MOST_DIFFERENCE) &&
      difference(remote, pixels('local')) < MOST_DIFFERENCE;
  }, { polling: 100 });
}

// Whether offer and answer have a=cryptex, at the session level or in a section.
export const saysCryptex = (page) => page.evaluate(() => {
  const { localDescription, remoteDescription } = window.echo.call.connection;
  return { offer: localDescription.sdp.includes('a=cryptex'), answer: remoteDescription.sdp.includes('a=cryptex') };
});

export const serverStatistics = (page) => page.evaluate(() => window.echo.call.serverStatistics());
export const callLocation = (page) => page.evaluate(() => window.echo.call?.location ?? null);
// Only values that JSON can represent pass from the page.
export const browserStatistics = (page) =>
  page.evaluate(async () => JSON.parse(JSON.stringify(await window.echo.call.browserStatistics())));
// The page's text about the call, including why there is none.
export const pageState = (page) => page.evaluate(() => document.getElementById('state').textContent);

export async function endCall(page) {
  await page.locator('#end').click();
  await until(page, () => window.echo.call === null);
}

// As if the user had refused camera and microphone: the page draws a picture. Counts its frames.
export function refuseCamera(page) {
  return page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('refused', 'NotAllowedError'));
    const fillRect = CanvasRenderingContext2D.prototype.fillRect;
    window.framesDrawn = 0;
    CanvasRenderingContext2D.prototype.fillRect = function count(...box) {
      window.framesDrawn += 1;
      fillRect.apply(this, box);
    };
  });
}

// Whether the page draws in the next two frames.
export function isDrawing(page) {
  return page.evaluate(async () => {
    const frame = () => new Promise((resolve) => { requestAnimationFrame(resolve); });
    await frame();
    const before = window.framesDrawn ?? 0;
    await frame();
    await frame();
    return (window.framesDrawn ?? 0) !== before;
  });
}

// The tracks of the call, for trackStates() after it.
export const keepTracks = (page) => page.evaluate(() => { window.kept = window.echo.media.stream.getTracks(); });
export const trackStates = (page) => page.evaluate(() => window.kept.map(({ readyState }) => readyState));

// The browser asks for the camera until grantCamera().
export function delayCamera(page) {
  return page.evaluate(() => {
    const devices = navigator.mediaDevices;
    const plain = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      window.prompted = true;
      await new Promise((resolve) => { window.grant = resolve; });
      window.granted = await plain(wanted);
      return window.granted;
    };
  });
}
export const grantCamera = (page) => page.evaluate(() => window.grant());

// Makes `count` calls at once, each with a data channel alone, and resolves when all of them have sent a text back.
// Otherwise fails with the states of the calls that have not.
export async function callMany(page, count) {
  await page.evaluate((calls) => {
    const call = async (number) => {
      const connection = new RTCPeerConnection();
      const channel = connection.createDataChannel('many');
      const text = `call ${number}`;
      window.many[number] = { connection, channel, echoed: false };
      // The channel may open before setRemoteDescription() is told to have succeeded.
      channel.onopen = () => channel.send(text);
      channel.onmessage = ({ data }) => { if (data === text) window.many[number].echoed = true; };
      await connection.setLocalDescription();
      while (connection.iceGatheringState !== 'complete') await new Promise((done) => { setTimeout(done, 20); });
      const response = await fetch('/echo', {
        method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: connection.localDescription.sdp,
      });
      if (!response.ok) throw new Error(await response.text());
      await connection.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    };
    window.many = [];
    for (let number = 0; number < calls; ++number) call(number);
  }, count);
  await until(page, () => window.many.every(({ echoed }) => echoed)).catch(async (error) => {
    const left = await page.evaluate(() => window.many.filter(({ echoed }) => !echoed).map(({ connection, channel }) =>
      `${connection.iceConnectionState} ${connection.connectionState} ${channel.readyState}`));
    throw new Error(`${error.message}: ${left.join(', ')}`);
  });
  await page.evaluate(() => window.many.forEach(({ connection }) => connection.close()));
}

// A call in which the server offers and the browser answers, with a data channel alone. Resolves to its location and
// whether the answer has a=sctp-init, once a text has come back.
export function answerServer(page) {
  return page.evaluate(async () => {
    const offer = await fetch('/offer', { method: 'POST' });
    if (offer.status !== 201) throw new Error(await offer.text());
    const location = offer.headers.get('Location');
    const connection = new RTCPeerConnection();
    const channel = connection.createDataChannel('answered');
    await connection.setRemoteDescription({ type: 'offer', sdp: await offer.text() });
    await connection.setLocalDescription();
    while (connection.iceGatheringState !== 'complete') await new Promise((done) => { setTimeout(done, 20); });
    const { sdp } = connection.localDescription;
    const taken = await fetch(location, {
      method: 'PATCH', headers: { 'Content-Type': 'application/sdp' }, body: sdp,
    });
    if (!taken.ok) throw new Error(await taken.text());
    await new Promise((done) => {
      channel.onmessage = ({ data }) => { if (data === 'answered') done(); };
      channel.onopen = () => channel.send('answered');
      if (channel.readyState === 'open') channel.onopen(); // without a handshake it may be by now
    });
    window.answered = connection;
    return { location, hasSctpInit: sdp.includes('a=sctp-init:') };
  });
}

// Changes the offer or the answer (`which`) on the way, as an attacker between page and server could: the first byte of
// each fingerprint becomes another.
export function tamperFingerprint(page, which) {
  return page.evaluate((target) => {
    const fetchPlain = window.fetch;
    const change = (sdp) => sdp.replace(/(a=fingerprint:\S+ )(..)/g,
      (_, head, byte) => head + (byte === '00' ? '01' : '00'));
    window.fetch = async (url, options) => {
      if (options?.method !== 'POST') return fetchPlain(url, options);
      const body = target === 'offer' ? change(options.body) : options.body;
      const response = await fetchPlain(url, { ...options, body });
      if (target === 'offer') return response;
      return new Response(change(await response.text()), { status: response.status, headers: response.headers });
    };
  }, which);
}
