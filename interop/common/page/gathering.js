// ICE candidates for offers that don't trickle.

// For STUN or mDNS without an answer.
const GATHERING_LIMIT_MS = 3000;

// Resolves when the local description of `connection` has all candidates.
export function allCandidates(connection) {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHERING_LIMIT_MS);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') resolve();
    });
  });
}
