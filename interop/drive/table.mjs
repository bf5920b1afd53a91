// The figures of calls as a table with a column for each call.

const milliseconds = (value) => (value == null ? '–' : `${value.toFixed(1)} ms`);

function rows({ report, server, browser, screenshot }) {
  return [
    ['browser', report.browser],
    ['media echoed', report.media_echoed ? 'yes' : 'NO'],
    ['data echoed', report.data_echoed ? 'yes' : 'NO'],
    ['DTLS version', report.tls_version ?? '–'],
    ['DTLS role of the browser', report.dtls_role ?? '–'],
    ['cipher suite', report.dtls_cipher ?? '–'],
    ['group', report.group ?? '–'],
    ['SRTP profile', report.srtp_profile ?? '–'],
    ['RTP header extensions', report.cryptex === 'on' ? 'encrypted' : 'in clear'],
    ['ICE pair', server.ice?.pair ?? '–'],
    ['set-up: ICE', milliseconds(report.setup_ms.ice)],
    ['set-up: DTLS', milliseconds(report.setup_ms.dtls)],
    ['set-up: first media', milliseconds(report.setup_ms.media)],
    ['set-up: data channel', milliseconds(report.setup_ms.data)],
    ['RTT of media', milliseconds(server.rtt_ms.media)],
    ['RTT of media, browser', milliseconds(browser.report?.roundTripTime && browser.report.roundTripTime * 1000)],
    ['datagrams in / out', `${report.packets.in} / ${report.packets.out}`],
    ['RTP echoed', String(server.media.rtp_echoed)],
    ['frames decoded', String(browser.video?.framesDecoded ?? 0)],
    ['authentication failures', String(report.packets.auth_failures)],
    ['discarded', String(report.packets.discarded)],
    ['messages echoed', String(server.data?.messages_echoed ?? 0)],
    ['screenshot', screenshot ?? '–'],
  ];
}

export function table(calls) {
  const columns = calls.map(rows);
  const head = Math.max(...columns[0].map(([name]) => name.length));
  const widths = columns.map((column) => Math.max(...column.map(([, value]) => String(value).length)));
  return columns[0].map(([name], line) => {
    const cells = columns.map((column, i) => String(column[line][1]).padEnd(widths[i]));
    return `  ${name.padEnd(head)}  ${cells.join('  ')}`.trimEnd();
  }).join('\n');
}
