// Headless Chromium with a fake camera, on loopback.
import puppeteer from 'puppeteer-core';
import { WINDOW } from './page.mjs';

export const chromium = {
  name: 'chromium',
  // `sctpInit`: with a=sctp-init; `dtlsInStun`: with SPED; `cryptex`: with a=cryptex. Chromium 156 has them behind
  // switches.
  launch: ({ sctpInit = false, dtlsInStun = false, cryptex = false } = {}) => puppeteer.launch({
    executablePath: process.env.SLUICE_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    defaultViewport: null, // the size of the window
    args: [
      `--window-size=${WINDOW.width},${WINDOW.height}`,
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      // With these two options Chromium has candidates on 127.0.0.1 even if there is no other address.
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection',
      '--autoplay-policy=no-user-gesture-required',
      ...(dtlsInStun ? ['--force-fieldtrials=WebRTC-IceHandshakeDtls/Enabled/'] : []),
      ...(sctpInit ? ['--enable-features=WebRtcSctpSnap'] : []),
      ...(cryptex ? ['--enable-blink-features=RtcRtpHeaderEncryptionPolicy'] : []),
    ],
  }),
};
