// An echo server and a line client on werift-dtls, for the interoperability matrix. DTLS 1.2.
//
//   werift_peer.mjs accept ADDRESS|connect ADDRESS --cert FILE --key FILE [--rsa] [--verify]
//
// The server prints "ACCEPT address", sends back what its one client sends, and ends when the client closes. The client
// sends what comes on its standard input, prints what comes back, and ends with its input. Both print "connected" first.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

// The main file that version 0.5.8 names does not exist.
const { DtlsClient, DtlsServer, HashAlgorithm, SignatureAlgorithm } = createRequire(import.meta.url)('werift-dtls/lib/dtls/src/index.js');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cert: { type: 'string' },
    key: { type: 'string' },
    rsa: { type: 'boolean', default: false },
    verify: { type: 'boolean', default: false },
  },
});
const [command, address] = positionals;
const [host, port] = [address.slice(0, address.lastIndexOf(':')), Number(address.slice(address.lastIndexOf(':') + 1))];
const isServer = command === 'accept';

// What werift-dtls calls a transport: one peer behind a socket.
const socket = createSocket('udp4');
let peer = isServer ? null : { address: host, port };
const transport = {
  onData: () => {},
  send: (bytes) => new Promise((done, failed) => {
    socket.send(bytes, peer.port, peer.address, (error) => (error ? failed(error) : done()));
  }),
  close: async () => socket.close(),
};
socket.on('message', (bytes, from) => {
  peer ??= from;
  transport.onData(bytes);
});

function fail(why) {
  console.error(`werift-peer: ${why}`);
  process.exit(1);
}
// A flight that gets no answer is a rejected promise that nobody waits for.
process.on('unhandledRejection', (why) => console.error(`werift-peer: ${why}`));

const options = {
  transport,
  cert: readFileSync(values.cert, 'utf8'),
  key: readFileSync(values.key, 'utf8'),
  signatureHash: {
    hash: HashAlgorithm.sha256_4,
    signature: values.rsa ? SignatureAlgorithm.rsa_1 : SignatureAlgorithm.ecdsa_3,
  },
  extendedMasterSecret: true,
  certificateRequest: values.verify,
};
const dtls = isServer ? new DtlsServer(options) : new DtlsClient(options);
dtls.onError.subscribe((why) => console.error(`werift-peer: ${why}`));

await new Promise((done) => socket.bind(isServer ? port : 0, isServer ? host : '127.0.0.1', done));
if (isServer) console.log(`ACCEPT ${socket.address().address}:${socket.address().port}`);

let connected = false;
dtls.onConnect.subscribe(() => {
  if (connected) return; // a repeated Finished
  connected = true;
  console.log('connected');
  if (isServer && values.verify) console.log(`certificate of the client: ${dtls.remoteCertificate?.length ?? 0} bytes`);
  if (isServer) return;
  process.stdin.on('data', (line) => dtls.send(line));
  process.stdin.on('end', () => process.exit(0));
});
dtls.onData.subscribe((bytes) => (isServer ? dtls.send(bytes) : process.stdout.write(bytes)));
dtls.onClose.subscribe(() => (connected ? process.exit(0) : fail('the peer sent an alert')));
if (!isServer) dtls.connect().catch((why) => fail(why));
