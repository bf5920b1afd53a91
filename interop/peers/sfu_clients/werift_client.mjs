#!/usr/bin/env node
// A publisher and a viewer on werift: see __main__.py for how it is run.
import {
  MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters, RtpPacket, useFIR, useNACK, usePLI,
} from 'werift';
import { CLOCK_RATES, H264_PARAMETERS, KINDS, PAYLOAD_TYPES, main, say } from './client.mjs';

// Of IPv6, since werift asks a STUN server in the internet from each address of IPv4.
const LOOPBACK = '::1';

function codecs(codec) {
  const parameters = codec === 'H264' ? H264_PARAMETERS : undefined;
  return {
    audio: [new RTCRtpCodecParameters({
      mimeType: 'audio/opus', clockRate: CLOCK_RATES.audio, channels: 2, payloadType: PAYLOAD_TYPES.audio,
    })],
    video: [
      new RTCRtpCodecParameters({
        mimeType: `video/${codec}`, clockRate: CLOCK_RATES.video, payloadType: PAYLOAD_TYPES.video, parameters,
        rtcpFeedback: [useNACK(), usePLI(), useFIR()],
      }),
      new RTCRtpCodecParameters({
        mimeType: 'video/rtx', clockRate: CLOCK_RATES.video, payloadType: 97, parameters: `apt=${PAYLOAD_TYPES.video}`,
      }),
    ],
  };
}

function open(role, codec) {
  const connection = new RTCPeerConnection({
    codecs: codecs(codec), iceUseIpv4: false, iceAdditionalHostAddresses: [LOOPBACK], bundlePolicy: 'max-bundle',
  });
  connection.connectionStateChange.subscribe((state) => { if (state === 'connected') say('connected'); });
  const tracks = {};
  const onPacket = {};
  let video;
  for (const kind of KINDS) {
    if (role === 'publish') {
      tracks[kind] = new MediaStreamTrack({ kind });
      const { sender } = connection.addTransceiver(tracks[kind], { direction: 'sendonly' });
      sender.onPictureLossIndication.subscribe(() => say('asked for key frame'));
      sender.onGenericNack.subscribe(() => say('asked again'));
    } else {
      const transceiver = connection.addTransceiver(kind, { direction: 'recvonly' });
      transceiver.onTrack.subscribe((track) => {
        track.onReceiveRtp.subscribe((packet) => onPacket[kind](packet.serialize()));
        if (kind === 'video') video = { track, receiver: transceiver.receiver };
      });
    }
  }
  return {
    onPacket,
    send: (kind, packet) => tracks[kind].writeRtp(RtpPacket.deSerialize(packet)),
    askForKeyFrame: () => video.receiver.sendRtcpPLI(video.track.ssrc),
    async offer() {
      await connection.setLocalDescription(await connection.createOffer());
      return connection.localDescription.sdp;
    },
    answer: (sdp) => connection.setRemoteDescription({ type: 'answer', sdp }),
    close: () => connection.close(),
  };
}

await main(open);
