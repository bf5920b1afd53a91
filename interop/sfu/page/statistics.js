// A table of what a session sends or receives, once a second.

const POLL_MS = 1000;

export const count = (value) => (value == null ? '–' : value.toLocaleString('en'));
const milliseconds = (seconds) => (seconds == null ? '–' : `${Math.round(seconds * 1000)} ms`);
const size = ({ frameWidth, frameHeight }) => (frameWidth ? `${frameWidth} × ${frameHeight}` : '–');

function bitrate(report, before) {
  const of = (r) => r.bytesReceived ?? r.bytesSent;
  if (!before || report.timestamp <= before.timestamp) return '–';
  const kilobits = (8 * (of(report) - of(before))) / (report.timestamp - before.timestamp);
  return `${count(Math.round(kilobits))} kbit/s`;
}

function cells(report, reports, before) {
  const codec = reports.find(({ id }) => id === report.codecId);
  const remote = reports.find(({ id }) => id === report.remoteId);
  return [
    report.kind,
    codec ? codec.mimeType.split('/')[1] : '–',
    size(report),
    bitrate(report, before),
    count(report.packetsReceived ?? report.packetsSent),
    count(report.packetsLost ?? remote?.packetsLost),
    milliseconds(report.jitter ?? remote?.jitter),
    milliseconds(remote?.roundTripTime),
    count(report.framesDecoded ?? report.framesEncoded),
  ];
}

// Keeps the rows of `body` up to date until the result is called.
export function showStatistics(session, body) {
  let former = new Map();
  const refresh = async () => {
    const reports = await session.statistics();
    const streams = reports.filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp');
    body.replaceChildren(...streams.map((report) => {
      const row = document.createElement('tr');
      for (const text of cells(report, reports, former.get(report.id))) row.insertCell().textContent = text;
      return row;
    }));
    former = new Map(streams.map((report) => [report.id, report]));
  };
  const timer = setInterval(refresh, POLL_MS);
  return () => clearInterval(timer);
}
