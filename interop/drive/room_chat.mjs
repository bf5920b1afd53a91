// The chat of a room, with pages that publish or watch in it.
import { until } from './page.mjs';

// What comes to a page from now on, as text; of bytes their number and a checksum.
const note = (page) => page.evaluate(() => {
  const isKnown = window.received !== undefined;
  window.received = [];
  if (isKnown) return;
  window.sum = (bytes) => bytes.reduce((sum, byte, i) => (sum + byte * (i % 251 + 1)) % 65521, 0);
  window.sfu.chat.addEventListener('message', ({ detail }) => {
    const isText = typeof detail === 'string';
    window.received.push(isText ? detail : `${detail.byteLength} ${window.sum(new Uint8Array(detail))}`);
  });
});

const waitFor = (page, text) => until(page, (wanted) => window.received.includes(wanted), text);

// Types a message, as a user does.
async function say(page, text) {
  await page.type('#text', text);
  await page.locator('#send').click();
  await until(page, (wanted) => document.querySelector('#messages .mine:last-child')?.textContent === `you: ${wanted}`,
    text);
}

// Sends bytes that don't repeat. What note() makes of them.
const sendBytes = (page, size) => page.evaluate((length) => {
  const bytes = new Uint8Array(length).map((_, i) => (i * 31 + (i >> 8) * 17) & 0xff);
  window.sfu.chat.send(bytes);
  return `${length} ${window.sum(bytes)}`;
}, size);

// A message of each page, and bytes, come to all others and not to itself. `pages`: by name.
export async function chatInRoom(pages) {
  const all = Object.entries(pages);
  for (const [, page] of all) {
    await until(page, () => window.sfu.chat.isOpen);
    await note(page);
  }
  for (const [index, [name, page]] of all.entries()) {
    const text = `<b>from</b> the ${name} – ü`;
    await say(page, text);
    const bytes = await sendBytes(page, 40_000 + index); // differ, so that each is waited for
    for (const [, other] of all) {
      if (other === page) continue;
      await waitFor(other, text);
      await waitFor(other, bytes);
      await until(other, (wanted) => [...document.querySelectorAll('#messages .theirs')]
        .some(({ textContent }) => textContent === wanted), text);
    }
  }
  for (const [name, page] of all) {
    const received = await page.evaluate(() => window.received);
    const expected = 2 * (all.length - 1);
    if (received.length !== expected) {
      throw new Error(`expected: ${expected} messages to the ${name}, not ${JSON.stringify(received)}`);
    }
    await page.evaluate(() => window.scrollTo(0, 0)); // typing has scrolled to the chat
  }
}
