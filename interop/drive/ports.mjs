// Ports that are free now.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';

export function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export function freeUdpPort() {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp6').once('error', reject).bind(0, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}
