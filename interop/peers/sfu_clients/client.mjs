// What the clients in Node.js share: arguments, what they say, WHIP and WHEP, RTP from and to UDP ports of loopback,
// where GStreamer encodes and decodes.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const LOOPBACK = '127.0.0.1';
export const KINDS = ['audio', 'video'];
export const PAYLOAD_TYPES = { audio: 111, video: 96 };
export const CLOCK_RATES = { audio: 48_000, video: 90_000 };
export const H264_PARAMETERS = 'profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1';

export const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }));

async function exchange(url, method, body, type) {
  const response = await fetch(url, { method, body, headers: body ? { 'Content-Type': type } : {} });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} is answered with ${response.status}: ${text}`);
  return { text, location: response.headers.get('Location') };
}

// Packets that come to a port, for a publisher.
async function listen(port, onPacket) {
  const socket = dgram.createSocket('udp4');
  socket.on('message', onPacket);
  socket.bind(port, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}

// Sends packets to a port, for a viewer.
function sender(port) {
  const socket = dgram.createSocket('udp4');
  return { socket, send: (packet) => socket.send(packet, port, LOOPBACK) };
}

// RTCP shares the transport; it has other second bytes (RFC 5761 section 4).
export const isRtcp = (packet) => packet[1] >= 192 && packet[1] <= 223;

// Runs a client until the test ends its input. `open(role, codec)` makes the library's side:
//   offer() and answer(sdp)
//   send(kind, packet)         of a publisher
//   onPacket                   of a viewer: set to a function of kind and packet
//   askForKeyFrame()           of a viewer
//   close()
export async function main(open) {
  const { values, positionals: [role, url] } = parseArgs({
    allowPositionals: true,
    options: {
      codec: { type: 'string', default: 'VP8' }, 'audio-port': { type: 'string' }, 'video-port': { type: 'string' },
    },
  });
  const port = (kind) => Number(values[`${kind}-port`]);
  const client = open(role, values.codec);
  const sockets = {};
  for (const kind of KINDS) {
    if (role === 'publish') {
      sockets[kind] = await listen(port(kind), (packet) => client.send(kind, packet));
    } else {
      const { socket, send } = sender(port(kind));
      sockets[kind] = socket;
      client.onPacket[kind] = send;
    }
  }
  const { text, location } = await exchange(url, 'POST', await client.offer(), 'application/sdp');
  await client.answer(text);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'key frame') client.askForKeyFrame();
  }
  await exchange(new URL(location, url), 'DELETE');
  say('deleted');
  await client.close();
  process.exit(0); // libraries leave timers behind
}
