// Ports for servers that are told which one to use. They are below those that Linux gives to sockets that ask for any,
// so that no other program gets one before the server does.
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

const FIRST = 20000;
const LAST = 31999;

// `bind(port)` is a socket; it listens there, or has an error.
async function freePort(bind) {
  for (;;) {
    const port = randomInt(FIRST, LAST + 1);
    const isFree = await new Promise((resolve, reject) => {
      const socket = bind(port)
        .once('listening', () => socket.close(() => resolve(true)))
        .once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(false) : reject(error)));
    });
    if (isFree) return port;
  }
}

export const freeTcpPort = () => freePort((port) => createServer().listen(port));

export const freeUdpPort = () => freePort((port) => createSocket('udp6').bind(port));
