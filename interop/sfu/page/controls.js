// What the pages that publish and watch have in common: the room, the state and the buttons.

export const $ = (id) => document.getElementById(id);

// `canEnd`: there is something to end, if only the wait for another try.
export function show(state, text, session, canEnd = session !== null) {
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('start').disabled = session !== null;
  $('end').disabled = !canEnd;
}

// Shows the states of `own` as long as it is the page's session.
export function showStates(own, page) {
  own.addEventListener('state', ({ detail }) => {
    if (page.session !== own) return;
    if (own.isOver) page.clear();
    page.show(detail, own.reason ?? detail);
  });
}

// The room of the page's URL.
export function chooseRoom() {
  $('room').value = new URLSearchParams(window.location.search).get('room') ?? 'lobby';
}
