// The words of the tests of resumption, in either version.
#pragma once

#include <memory>
#include <optional>

#include "support/connections.h"

namespace sluice::test {

using dtls::Instant;
using dtls::ResumableSession;
using dtls::Resumption;

inline dtls::ConfigOptions with_store(dtls::ConfigOptions options) {
  options.resumption = Resumption::store;
  return options;
}

inline dtls::ConfigOptions with_tickets(dtls::ConfigOptions options) {
  options.resumption = Resumption::tickets;
  options.ticket_keys = std::make_shared<dtls::TicketKeys>();
  return options;
}

// A first handshake with these options, which leads to a session.
inline Pair first_pair(const dtls::ConfigOptions& options) {
  Pair pair(options);
  pair.run();
  EXPECT_TRUE(works(pair));
  EXPECT_FALSE(pair.client.connected->resumed);
  EXPECT_EQ(pair.client.sessions.size(), 1U);
  return pair;
}

// Two that are about to meet again.
inline Pair second_pair(const dtls::ConfigOptions& client, const dtls::ConfigOptions& server,
                        const ResumableSession& session, Instant now = {}) {
  Pair pair(client, server);
  pair.client = make_client(make_config(client), now, session);
  pair.server = make_server(make_config(server), now);
  return pair;
}

// The same, met. A server with a store finds `stored`, or nothing.
inline Pair resumed_pair(const dtls::ConfigOptions& client, const dtls::ConfigOptions& server,
                         const ResumableSession& session,
                         const std::optional<ResumableSession>& stored = {}, Instant now = {}) {
  Pair pair = second_pair(client, server, session, now);
  pair.run(now);
  if (pair.server.session_request) {
    answer_session(
        pair.server,
        stored ? dtls::Answer(dtls::ResumeSession{0, *stored}) : dtls::Answer(dtls::NoSession{}),
        now);
    pair.run(now);
  }
  EXPECT_TRUE(works(pair));
  return pair;
}

inline bool is_resumed(const Pair& pair) {
  EXPECT_EQ(pair.client.connected->resumed, pair.server.connected->resumed);
  return pair.client.connected->resumed;
}

inline dtls::Buffer exported(Peer& peer) {
  dtls::Buffer out(32);
  must(peer.connection().export_keying_material(out, "EXPORTER-test", {}));
  return out;
}

}  // namespace sluice::test
