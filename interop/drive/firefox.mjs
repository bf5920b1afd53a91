// Headless Firefox with a fake camera, on loopback; by WebDriver BiDi, without geckodriver.
import puppeteer from 'puppeteer-core';
import { WINDOW } from './page.mjs';

export const firefox = {
  name: 'firefox',
  // `newest`: of the DTLS versions that it offers.
  launch: ({ newest = '1.3' } = {}) => puppeteer.launch({
    browser: 'firefox',
    executablePath: process.env.SLUICE_FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    defaultViewport: null, // the window's: Firefox 140 can't do what setting another takes
    args: [`--width=${WINDOW.width}`, `--height=${WINDOW.height}`],
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.loopback': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      // Without these two there are no candidates on loopback.
      'permissions.default.microphone': 1,
      'permissions.default.camera': 1,
      'media.autoplay.default': 0,
      // The number of the TLS version of the same name.
      'media.peerconnection.dtls.version.max': newest === '1.2' ? 0x0303 : 0x0304,
    },
  }),
};
