// What a page sends.

// The camera and the microphone, or without them a drawn picture and a tone: { stream, stop() }. The picture has this
// size, or the nearest one that the camera has.
export async function localMedia(width = 640, height = 480) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width, height } });
    return { stream, stop: () => stopTracks(stream) };
  } catch {
    return drawnMedia(width, height);
  }
}

// The screen, a window or a tab that the user chooses, with its sound where the browser has it.
export async function sharedScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: true });
  return { stream, stop: () => stopTracks(stream) };
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function drawnMedia(width, height) {
  const canvas = Object.assign(document.createElement('canvas'), { width, height });
  const context = canvas.getContext('2d');
  let frame = 0;
  const draw = (time) => {
    context.fillStyle = `hsl(${(time / 40) % 360} 60% 35%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = '#fff';
    context.font = '48px sans-serif';
    context.fillText(new Date().toLocaleTimeString(), 60 + 40 * Math.sin(time / 500), height / 2);
    frame = requestAnimationFrame(draw);
  };
  frame = requestAnimationFrame(draw);
  const stream = canvas.captureStream(25);

  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const quiet = audio.createGain();
  const out = audio.createMediaStreamDestination();
  quiet.gain.value = 0.05;
  tone.connect(quiet).connect(out);
  tone.start();
  stream.addTrack(out.stream.getAudioTracks()[0]);
  return {
    stream,
    stop: () => {
      cancelAnimationFrame(frame);
      audio.close();
      stopTracks(stream);
    },
  };
}
