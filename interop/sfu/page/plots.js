// Small plots of the last minute: a line for each stream and quantity.

const SVG = 'http://www.w3.org/2000/svg';
const SAMPLES = 60;
const WIDTH = 160;
const HEIGHT = 40;

const QUANTITIES = [
  { key: 'bitrate', name: 'bitrate', unit: 'kbit/s', least: 100 },
  { key: 'loss', name: 'loss', unit: '%', least: 5 },
  { key: 'jitter', name: 'jitter', unit: 'ms', least: 20 },
  { key: 'rtt', name: 'RTT', unit: 'ms', least: 20 },
  { key: 'height', name: 'resolution', unit: 'lines', least: 180 },
];

// Gaps are where nothing is known. `most`: the value at the top.
function pathOf(values, most) {
  let path = '';
  let draws = false;
  values.forEach((value, i) => {
    if (value !== null) {
      const x = ((SAMPLES - values.length + i) * WIDTH) / (SAMPLES - 1);
      const y = HEIGHT - 1 - (Math.min(value, most) * (HEIGHT - 2)) / most;
      path += `${draws ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    }
    draws = value !== null;
  });
  return path;
}

class Plot {
  #values = [];
  #line = document.createElementNS(SVG, 'path');
  #caption = document.createElement('figcaption');
  #image = document.createElementNS(SVG, 'svg');
  #quantity;
  #name;

  constructor(name, quantity) {
    this.#name = name;
    this.#quantity = quantity;
    this.#image.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.#image.setAttribute('preserveAspectRatio', 'none');
    this.#image.setAttribute('aria-hidden', 'true'); // the caption says the same
    this.#image.append(this.#line);
    this.element = document.createElement('figure');
    this.element.className = 'plot';
    this.element.append(this.#caption, this.#image);
  }

  add(value) {
    this.#values = [...this.#values, value].slice(-SAMPLES);
    const known = this.#values.filter((each) => each !== null);
    const most = Math.max(this.#quantity.least, ...known);
    this.#line.setAttribute('d', pathOf(this.#values, most));
    const { name, unit } = this.#quantity;
    const text = value === null ? '–' : `${Math.round(value).toLocaleString('en')} ${unit}`;
    this.#caption.textContent = `${this.#name} ${name}: ${text}`;
    this.element.hidden = known.length === 0;
  }
}

export class Plots {
  #area;
  #byStream = new Map();

  constructor(area) {
    this.#area = area;
    area.replaceChildren();
  }

  // The measures of all streams there are. Those of others go.
  add(streams) {
    const byStream = new Map(streams.map((stream) => [stream.id, this.#byStream.get(stream.id) ??
      QUANTITIES.map((quantity) => new Plot(stream.name, quantity))]));
    for (const stream of streams) {
      byStream.get(stream.id).forEach((plot, i) => plot.add(stream[QUANTITIES[i].key]));
    }
    if (byStream.size !== this.#byStream.size || [...byStream.keys()].some((id) => !this.#byStream.has(id))) {
      this.#area.replaceChildren(...[...byStream.values()].flat().map(({ element }) => element));
    }
    this.#byStream = byStream;
  }
}
