#!/usr/bin/env node
// A publisher and a viewer on node-datachannel (libdatachannel): see __main__.py for how it is run.
import library from 'node-datachannel';
import { H264_PARAMETERS, KINDS, PAYLOAD_TYPES, isRtcp, main, say } from './client.mjs';

const LOOPBACK = '127.0.0.1';
const SSRCS = { audio: 0x10203040, video: 0x10203041 };
// RTCP's packet type and feedback message type of PLI (RFC 4585 section 6.3.1).
const PSFB = 206;
const PLI = 1;

function description(kind, codec, direction) {
  const made = new library[kind === 'audio' ? 'Audio' : 'Video'](kind, direction);
  if (kind === 'audio') made.addOpusCodec(PAYLOAD_TYPES.audio);
  else if (codec === 'H264') made.addH264Codec(PAYLOAD_TYPES.video, H264_PARAMETERS);
  else made.addVP8Codec(PAYLOAD_TYPES.video);
  if (direction === 'SendOnly') made.addSSRC(SSRCS[kind], 'peer', 'stream', kind);
  return made;
}

function isPli(compound) {
  for (let at = 0; at + 4 <= compound.length; at += 4 * (compound.readUInt16BE(at + 2) + 1)) {
    if (compound[at + 1] === PSFB && (compound[at] & 0x1f) === PLI) return true;
  }
  return false;
}

function open(role, codec) {
  const connection = new library.PeerConnection('peer', {
    iceServers: [], bindAddress: LOOPBACK, disableAutoNegotiation: true,
  });
  connection.onStateChange((state) => { if (state === 'connected') say('connected'); });
  const gathered = new Promise((resolve) => {
    connection.onGatheringStateChange((state) => { if (state === 'complete') resolve(); });
  });
  const tracks = {};
  const onPacket = {};
  for (const kind of KINDS) {
    const track = connection.addTrack(description(kind, codec, role === 'publish' ? 'SendOnly' : 'RecvOnly'));
    tracks[kind] = track;
    // RTCP comes as a message, too, where no handler takes it.
    if (role === 'publish') track.setMediaHandler(new library.RtcpNackResponder(512));
    else track.setMediaHandler(new library.RtcpReceivingSession());
    track.onMessage((packet) => {
      if (role === 'publish' && isRtcp(packet) && isPli(packet)) say('asked for key frame');
      else if (role === 'watch' && !isRtcp(packet)) onPacket[kind](packet);
    });
  }
  return {
    onPacket,
    send(kind, packet) {
      if (!tracks[kind].isOpen()) return;
      packet.writeUInt32BE(SSRCS[kind], 8);
      tracks[kind].sendMessageBinary(packet);
    },
    askForKeyFrame: () => tracks.video.requestKeyframe(),
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
}

await main(open);
