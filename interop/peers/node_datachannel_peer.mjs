#!/usr/bin/env node
// Calls sluice-demo with node-datachannel (libdatachannel, libjuice, usrsctp): a data channel and audio. Usage: see
// demo_call.mjs.
import library from 'node-datachannel';
import { BINARY, run } from './demo_call.mjs';

const LOOPBACK = '127.0.0.1';
const PAYLOAD_TYPE = 111;
const SSRC = 0x12345678;
const HEADER_SIZE = 12;
const TICKS = 960; // of the RTP clock between two packets

function rtpPacket(number, payload) {
  const header = Buffer.alloc(HEADER_SIZE);
  header[0] = 0x80; // version 2
  header[1] = PAYLOAD_TYPE;
  header.writeUInt16BE(number, 2);
  header.writeUInt32BE(number * TICKS, 4);
  header.writeUInt32BE(SSRC, 8);
  return Buffer.concat([header, payload]);
}

function addAudio(connection) {
  const description = new library.Audio('audio', 'SendRecv');
  description.addOpusCodec(PAYLOAD_TYPE);
  description.addSSRC(SSRC, 'peer', 'stream', 'track');
  const track = connection.addTrack(description);
  let number = 0;
  return {
    kind: 'audio',
    send: (payload) => {
      if (!track.isOpen()) return;
      track.sendMessageBinary(rtpPacket(number, payload));
      number += 1;
    },
    // RTCP comes here too.
    onPayload: (handler) => track.onMessage((packet) => {
      if ((packet[1] & 0x7f) === PAYLOAD_TYPE) handler(packet.subarray(HEADER_SIZE));
    }),
  };
}

await run('node-datachannel', LOOPBACK, () => {
  const connection = new library.PeerConnection('peer', {
    iceServers: [], bindAddress: LOOPBACK, disableAutoNegotiation: true,
  });
  const media = [addAudio(connection)];
  const channel = connection.createDataChannel('chat');
  const gathered = new Promise((resolve) => {
    connection.onGatheringStateChange((state) => { if (state === 'complete') resolve(); });
  });
  return {
    messages: ['one line', '', BINARY, Buffer.alloc(0)],
    media,
    channel: {
      opened: new Promise((resolve) => { channel.onOpen(resolve); }),
      send: (message) => channel[typeof message === 'string' ? 'sendMessage' : 'sendMessageBinary'](message),
      onMessage: (handler) => channel.onMessage(handler),
    },
    async offer() {
      connection.setLocalDescription('offer');
      await gathered;
      return connection.localDescription().sdp;
    },
    answer: async (sdp) => connection.setRemoteDescription(sdp, 'answer'),
    close() {
      connection.close();
      library.cleanup();
    },
  };
});
