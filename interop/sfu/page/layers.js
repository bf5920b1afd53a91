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

// A list of layers for the video section `mid` of `session`: hidden while there is no choice. Then it asks again only
// when `picture`, which shows the section, changes its size: it may be that of another publisher.
export function makeLayerList(session, mid, picture) {
  const select = document.createElement('select');
  select.ariaLabel = 'Layer';
  select.hidden = true;
  select.addEventListener('change', () => {
    session.askForLayer(mid, select.value);
    select.blur();
  });
  let timer = 0;
  const refresh = async () => {
    const layers = (await session.layers().catch(() => null))?.[mid];
    // While the section has no publisher, the list stays as it was.
    if (layers) {
      show(select, layers);
      select.hidden = layers.active.length + layers.inactive.length < 2;
    }
    clearTimeout(timer);
    if (!select.hidden && !session.isOver) timer = setTimeout(refresh, POLL_MS);
  };
  picture.addEventListener('resize', refresh);
  session.addEventListener('state', () => { if (session.isOver) clearTimeout(timer); });
  refresh();
  return select;
}
