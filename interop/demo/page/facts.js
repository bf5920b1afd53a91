// The statistics of server and browser side by side.

const TLS_VERSIONS = { FEFD: 'DTLS 1.2', FEFC: 'DTLS 1.3' };

const milliseconds = (value) => (value == null ? null : `${Number(value.toFixed(2))} ms`);
const seconds = (value) => (value == null ? null : milliseconds(value * 1000));
const count = (value) => (value == null ? null : value.toLocaleString('en'));
const both = (a, b) => (a == null && b == null ? null : `${count(a ?? 0)} / ${count(b ?? 0)}`);
const host = (address) => (address?.includes(':') ? `[${address}]` : address ?? '?');
const candidate = (c) =>
  (c ? `${c.protocol === 'tcp' ? 'TCP ' : ''}${c.candidateType} ${host(c.address)}:${c.port}` : '?');
const reasons = (map) => Object.entries(map ?? {}).map(([name, n]) => `${name} ${n}`).join(', ');

// [name, milliseconds or null]
export function setupTimes(server) {
  const times = server?.setup_ms ?? {};
  return [['ICE', times.ice], ['DTLS', times.dtls], ['media', times.media], ['data', times.data]]
    .map(([name, value]) => [name, value ?? null]);
}

// [name, the server's value, the browser's value]; null: unknown.
export function facts(server, browser) {
  const { transport, pair, video, sent, rtp, report, channel } = browser;
  const { dtls, ice, packets, rtt_ms: rtt, data, media } = server ?? {};
  const discarded = packets && `${count(packets.discarded)} ${reasons(packets.srtp_refused)} ` +
    `${reasons(packets.dropped)} ${reasons(dtls?.discarded)}`;
  return [
    ['DTLS', dtls?.version, TLS_VERSIONS[transport?.tlsVersion] ?? transport?.tlsVersion],
    ['suite', dtls?.cipher_suite, transport?.dtlsCipher],
    ['group', dtls?.group, null],
    ['DTLS role', dtls?.role, transport?.dtlsRole],
    ['SRTP', dtls?.srtp_profile, transport?.srtpCipher],
    ['ICE pair', ice?.pair, pair && `${candidate(browser.local)} - ${candidate(browser.remote)}`],
    ['RTT, ICE', null, seconds(pair?.currentRoundTripTime)],
    ['RTT, media', milliseconds(rtt?.media), seconds(report?.roundTripTime)],
    ['RTT, DTLS', milliseconds(rtt?.handshake), null],
    ['packets in / out', both(packets?.in, packets?.out),
      both(transport?.packetsReceived, transport?.packetsSent)],
    ['RTP in / out', both(packets?.rtp_in, packets?.rtp_out), both(rtp.received, rtp.sent)],
    ['frames', null, video && sent &&
      `${count(video.framesDecoded)} of ${count(sent.framesSent ?? sent.framesEncoded)}`],
    ['feedback', media && `${count(media.feedback_forwarded)} forwarded`,
      video && `PLI ${count(video.pliCount)}, NACK ${count(video.nackCount)}`],
    ['SRTP failures', packets && `${count(packets.auth_failures)} not authentic, ${count(packets.replayed)} replayed`,
      null],
    ['discarded', discarded?.trim(), count(video?.packetsDiscarded)],
    ['messages', data && `${count(data.messages_echoed)} echoed`,
      channel && `${count(channel.messagesSent)} sent, ${count(channel.messagesReceived)} received`],
  ];
}
