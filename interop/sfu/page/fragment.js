// SDP fragments about ICE (RFC 8840 section 9), as an ICE restart has them (RFC 9725 section 4.3.3).

const linesOf = (text) => text.split(/\r?\n/).filter((line) => line !== '');
// The session level, then each section.
const levelsOf = (sdp) => sdp.split(/^(?=m=)/m).map(linesOf);
const attributes = (lines, ...names) => names.flatMap((name) =>
  lines.filter((line) => line === `a=${name}` || line.startsWith(`a=${name}:`)));
const CREDENTIALS = ['ice-ufrag', 'ice-pwd'];
const CANDIDATES = ['candidate', 'end-of-candidates'];

// Of an offer: the section whose transport all others share.
export function fragmentOf(offer) {
  const [session, ...sections] = levelsOf(offer);
  const tagged = /^a=group:BUNDLE (\S+)/m.exec(offer)?.[1];
  const section = sections.find((lines) => lines.includes(`a=mid:${tagged}`)) ?? sections[0];
  return [
    ...attributes(session, 'group', 'ice-options'), section[0],
    ...attributes(section, 'mid', 'ice-options', ...CREDENTIALS, ...CANDIDATES), '',
  ].join('\r\n');
}

// An answer with the credentials and candidates of a fragment in place of its own.
export function withFragment(answer, fragment) {
  const fresh = linesOf(fragment);
  const replace = (lines, names) => {
    const former = attributes(lines, ...names);
    if (former.length === 0) return lines;
    return [...lines.filter((line) => !former.includes(line)), ...attributes(fresh, ...names)];
  };
  const levels = levelsOf(answer).map((lines) => replace(replace(lines, CREDENTIALS), CANDIDATES));
  return [...levels.flat(), ''].join('\r\n');
}
