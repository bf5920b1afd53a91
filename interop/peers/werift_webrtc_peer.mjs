#!/usr/bin/env node
// Calls sluice-demo with werift: a data channel, audio and video. Usage: see demo_call.mjs.
import { MediaStreamTrack, RTCPeerConnection, RtpHeader, RtpPacket } from 'werift';
import { BINARY, run } from './demo_call.mjs';

// Of IPv6, since werift asks a STUN server in the internet from each address of IPv4.
const LOOPBACK = '::1';
const TICKS = { audio: 960, video: 1800 }; // of the RTP clock between two packets

function addMedia(connection, kind) {
  const track = new MediaStreamTrack({ kind });
  const { receiver } = connection.addTransceiver(track, { direction: 'sendrecv' });
  let number = 0;
  return {
    kind,
    // werift writes the SSRC and the payload type.
    send: (payload) => {
      const header = new RtpHeader({ sequenceNumber: number, timestamp: number * TICKS[kind] });
      track.writeRtp(new RtpPacket(header, payload));
      number += 1;
    },
    onPayload: (handler) => receiver.track.onReceiveRtp.subscribe(({ payload }) => handler(payload)),
  };
}

await run('werift', LOOPBACK, () => {
  const connection = new RTCPeerConnection({
    iceUseIpv4: false, iceAdditionalHostAddresses: [LOOPBACK], bundlePolicy: 'max-bundle',
  });
  const channel = connection.createDataChannel('chat');
  return {
    // No empty ones: werift sends nothing for them, where RFC 8831 section 6.6 has a byte.
    messages: ['one line', BINARY],
    media: ['audio', 'video'].map((kind) => addMedia(connection, kind)),
    channel: {
      opened: new Promise((resolve) => { channel.onopen = resolve; }),
      send: (message) => channel.send(message),
      onMessage: (handler) => { channel.onmessage = ({ data }) => handler(data); },
    },
    async offer() {
      await connection.setLocalDescription(await connection.createOffer());
      return connection.localDescription.sdp;
    },
    answer: (sdp) => connection.setRemoteDescription({ type: 'answer', sdp }),
    close: () => connection.close(),
  };
});
