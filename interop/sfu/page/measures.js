// What the statistics of a session say about each of its streams.

// Loss of this interval, in percent. What the peer reports is a fraction already.
function lossOf(report, remote, before) {
  if (report.type === 'outbound-rtp') return remote?.fractionLost == null ? null : 100 * remote.fractionLost;
  const lost = report.packetsLost - (before?.packetsLost ?? 0);
  const received = report.packetsReceived - (before?.packetsReceived ?? 0);
  return lost + received > 0 ? (100 * Math.max(lost, 0)) / (lost + received) : 0;
}

function bitrateOf(report, before) {
  if (!before || report.timestamp <= before.timestamp) return null;
  const bytes = (r) => r.bytesReceived ?? r.bytesSent;
  return (8 * (bytes(report) - bytes(before))) / (report.timestamp - before.timestamp);
}

const inMilliseconds = (seconds) => (seconds == null ? null : seconds * 1000);

// Numbers of one stream: bitrate in kbit/s, loss in percent, jitter and RTT in ms. Null: not known.
function measure(report, reports, before) {
  const codec = reports.find(({ id }) => id === report.codecId);
  const remote = reports.find(({ id }) => id === report.remoteId);
  return {
    id: report.id,
    name: report.rid ? `${report.kind} ${report.rid}` : report.kind,
    codec: codec?.mimeType.split('/')[1] ?? null,
    width: report.frameWidth ?? null,
    height: report.frameHeight ?? null,
    bitrate: bitrateOf(report, before),
    packets: report.packetsReceived ?? report.packetsSent,
    lost: report.packetsLost ?? remote?.packetsLost ?? null,
    loss: lossOf(report, remote, before),
    jitter: inMilliseconds(report.jitter ?? remote?.jitter),
    rtt: inMilliseconds(remote?.roundTripTime),
    frames: report.framesDecoded ?? report.framesEncoded ?? null,
  };
}

// Measures a session again and again.
export class Measures {
  #former = new Map();

  async next(session) {
    const reports = await session.statistics();
    const streams = reports.filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp');
    const measured = streams.map((report) => measure(report, reports, this.#former.get(report.id)));
    this.#former = new Map(streams.map((report) => [report.id, report]));
    return measured;
  }
}
