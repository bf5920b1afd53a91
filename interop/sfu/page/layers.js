// The choice of a layer, where a publisher sends several.

const POLL_MS = 1000;

const label = ({ encodingId, bitrate }) => `${encodingId} (${Math.round(bitrate / 1000)} kbit/s)`;

// Writes the layers of one video section into `select`. What is chosen stays.
function show(select, { active, inactive }) {
  // A list that is open must not change under the user.
  if (document.activeElement === select) return;
  const options = [new Option('what fits', '')];
  for (const layer of active) options.push(new Option(label(layer), layer.encodingId));
  for (const { encodingId } of inactive) options.push(new Option(`${encodingId} (not sent)`, encodingId));
  const chosen = select.value;
  select.replaceChildren(...options);
  select.value = options.some(({ value }) => value === chosen) ? chosen : '';
}

// A list of layers for the video section `mid` of `session`: hidden while there is no choice.
export function makeLayerList(session, mid) {
  const select = document.createElement('select');
  select.ariaLabel = 'Layer';
  select.hidden = true;
  select.addEventListener('change', () => {
    session.askForLayer(mid, select.value);
    select.blur();
  });
  const refresh = async () => {
    const layers = (await session.layers())?.[mid];
    if (!layers) return;
    show(select, layers);
    select.hidden = layers.active.length + layers.inactive.length < 2;
  };
  const timer = setInterval(refresh, POLL_MS);
  session.addEventListener('state', () => { if (session.isOver) clearInterval(timer); });
  return select;
}
