// A path with delay and loss between browsers and a UDP port of loopback.
import dgram from 'node:dgram';
import { once } from 'node:events';

// The same seed loses the same datagrams, counted each way (mulberry32).
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

async function socketOn(port) {
  const socket = dgram.createSocket('udp4');
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

// Takes datagrams on `port` and passes them on to `serverPort`, from a port of its own for each address that they come
// from, and back. `delay` in ms each way; `loss` is the probability each way. set() changes them, close() ends it.
// ports() are its own towards the server.
export async function startRelay(port, serverPort) {
  const front = await socketOn(port);
  const backs = new Map();
  let path = { delay: 0, loss: 0, toServer: () => 1, toBrowser: () => 1 };
  let isOpen = true;
  const pass = (random, send) => {
    if (random() < path.loss) return;
    setTimeout(() => { if (isOpen) send(); }, path.delay);
  };
  const backOf = (address, browserPort) => {
    const name = `${address}:${browserPort}`;
    if (!backs.has(name)) {
      backs.set(name, socketOn(0).then((back) => {
        back.on('message', (bytes) =>
          pass(path.toBrowser, () => front.send(bytes, browserPort, address, () => {})));
        return back;
      }));
    }
    return backs.get(name);
  };
  front.on('message', (bytes, { address, port: browserPort }) => {
    pass(path.toServer, async () => {
      const back = await backOf(address, browserPort);
      if (isOpen) back.send(bytes, serverPort, '127.0.0.1', () => {});
    });
  });
  return {
    set({ delay, loss, seed }) {
      path = { delay, loss, toServer: chance(seed), toBrowser: chance(seed + 0x9e3779b9) };
    },
    async ports() {
      return (await Promise.all(backs.values())).map((back) => back.address().port);
    },
    async close() {
      isOpen = false;
      front.close();
      for (const back of backs.values()) (await back).close();
    },
  };
}
