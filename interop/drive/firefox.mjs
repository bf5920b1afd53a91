// Headless Firefox with a fake camera, on loopback, driven by WebDriver BiDi without geckodriver.
import puppeteer from 'puppeteer-core';
import { WINDOW } from './page.mjs';

export const firefox = {
  name: 'firefox',
  // `newest`: the newest DTLS version that it offers.
  launch: ({ newest = '1.3' } = {}) => puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.SLUICE_FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    defaultViewport: null, // the size of the window: Firefox 140 can't set another one
    args: [`--width=${WINDOW.width}`, `--height=${WINDOW.height}`],
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      // Without these two permissions there are no candidates on loopback.
      'permissions.default.microphone': 1,
      'permissions.default.camera': 1,
      'media.autoplay.default': 0,
      // Firefox takes the TLS version with the same minor number.
      'media.peerconnection.dtls.version.max': newest === '1.2' ? 0x0303 : 0x0304,
    },
  }),
};
