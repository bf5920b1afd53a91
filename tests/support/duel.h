// An engine's connection against a scripted peer, datagram by datagram, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include "support/endpoints.h"
#include "support/scripted_peer.h"

namespace sluice::test {

struct Duel {
  // `engine_role` is the connection's; the script's is the other. A client has said hello.
  explicit Duel(dtls::Role engine_role, Script script = {},
                dtls::ConfigOptions options = test::options());

  // Carries all datagrams to and fro until nobody has any more.
  void run();
  // Hands one datagram to the engine alone, or one record to be sealed first.
  void deliver(dtls::Buffer datagram);
  void deliver(const OutgoingRecord& record) { deliver(peer.seal(record)); }
  // Hands what the engine has to send to the peer; how many datagrams that was.
  std::size_t collect();
  // Lets virtual time pass; the engine's timers fire when they are due, and what they send is
  // lost. How often one fired.
  unsigned wait(dtls::Duration time);
  // Jumps to the engine's next timer, which fires.
  void expire();

  Peer engine;
  ScriptedPeer peer;
  dtls::Instant now{};
};

// Both sides have finished, agree on a secret, and data passes both ways.
testing::AssertionResult works(Duel& duel);

// The engine gave up with this error, exactly one fatal alert says so to the peer, and nothing that
// is worth protecting came out: no Connected, no data, no key.
testing::AssertionResult failed(Duel& duel, dtls::Errc code, dtls::Alert alert);
// The same without an alert to the peer.
testing::AssertionResult failed_silently(Duel& duel, dtls::Errc code);
// A whole handshake that works(), or that failed() so.
testing::AssertionResult accepted(dtls::Role engine, Script script,
                                  dtls::ConfigOptions options = test::options());
testing::AssertionResult refused(dtls::Role engine, Script script, dtls::Errc code,
                                 dtls::Alert alert, dtls::ConfigOptions options = test::options());
// Neither connected nor given up: no Connected, no data, no key, no alert.
testing::AssertionResult still_waiting(Duel& duel);

}  // namespace sluice::test
