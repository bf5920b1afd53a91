// A table of what a session sends or receives, and plots of its last minute, once a second.

import { Measures } from './measures.js';
import { Plots } from './plots.js';

const POLL_MS = 1000;

export const count = (value) => (value == null ? '–' : value.toLocaleString('en'));
const rounded = (value, unit) => (value == null ? '–' : `${count(Math.round(value))} ${unit}`);

const cells = (stream) => [
  stream.name,
  stream.codec ?? '–',
  stream.width ? `${stream.width} × ${stream.height}` : '–',
  rounded(stream.bitrate, 'kbit/s'),
  count(stream.packets),
  count(stream.lost),
  rounded(stream.jitter, 'ms'),
  rounded(stream.rtt, 'ms'),
  count(stream.frames),
];

function row(stream) {
  const made = document.createElement('tr');
  for (const text of cells(stream)) made.insertCell().textContent = text;
  return made;
}

// Keeps the rows of `body` and the plots in `figures` up to date until the result is called.
export function showStatistics(session, body, figures) {
  const measures = new Measures();
  const plots = new Plots(figures);
  const refresh = async () => {
    const streams = await measures.next(session);
    body.replaceChildren(...streams.map(row));
    plots.add(streams);
  };
  const timer = setInterval(refresh, POLL_MS);
  return () => clearInterval(timer);
}
