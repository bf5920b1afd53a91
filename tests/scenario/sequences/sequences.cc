// Draws calls as they are: writes docs/sequences.md, or sees whether it is still true.
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

#include "scenario/media_transport/call.h"
#include "scenario/sequences/diagram.h"
#include "support/bytes.h"
#include "support/fixed_identity.h"

namespace sluice::sequences {
namespace {

using namespace std::chrono_literals;
using dtls::Duration;
using dtls::Role;

struct Scenario {
  std::string_view title;
  std::string_view text;
  dtls::ProtocolVersion version;
  std::size_t mtu = dtls::ConfigOptions().mtu;
  std::optional<std::size_t> lost = {};  // of all DTLS datagrams, from 0
};

constexpr Duration kRtt = 100ms;
// What a call says when it is up.
const transport::Packet kRtp = test::make_rtp({.ssrc = 1, .sequence = 1, .payload = 160});
const transport::Packet kMessage(100, std::byte{0x42});

transport::CallOptions options_of(const Scenario& scenario, dtls::Environment& environment) {
  auto options = transport::call_options(scenario.version);
  options.client_dtls.mtu = options.server_dtls.mtu = scenario.mtu;
  options.environment = &environment;
  options.identity = test::must(dtls::Identity::from_pem(test::kCertificate, test::kPrivateKey));
  return options;
}

// One call from the path's selection to its close, in virtual time.
class Performance {
 public:
  explicit Performance(const Scenario& scenario)
      : random_(1),
        environment_(test::must(
            dtls::Environment::make({.random = &random_, .packet_observer = &diagram_}))),
        lost_(scenario.lost),
        call_(options_of(scenario, environment_)) {
    call_.now = transport::Instant{};
    call_.delay = kRtt / 2;
    call_.network = [this](const transport::Flight& flight) { return carry(flight); };
  }

  std::string diagram() {
    call_.settle(call_.client, call_.client.transport.start(Role::client, call_.now));
    call_.settle(call_.server, call_.server.transport.start(Role::server, call_.now));
    call_.announce(call_.client, call_.server.fingerprint);
    call_.announce(call_.server, call_.client.fingerprint);
    call_.select(call_.server, transport::kPathA, kRtt);
    call_.select(call_.client, transport::kPathA, kRtt);
    for (const auto* end : {&call_.client, &call_.server}) {
      while (!(is_up(*end) && end->rtp.size() == 1) && call_.now < transport::Instant{10s}) step();
    }
    call_.run_for(2 * kRtt);
    call_.settle(call_.client, call_.client.transport.close(call_.now));
    diagram_.add_note(Role::client, elapsed(), "closed");
    for (int i = 0; i < 100; ++i) step();
    return diagram_.text();
  }

 private:
  static bool is_up(const transport::End& end) { return !end.connected.empty(); }
  [[nodiscard]] Duration elapsed() const { return call_.now.time_since_epoch(); }

  bool carry(const transport::Flight& flight) {
    const Role sender = flight.to_server ? Role::client : Role::server;
    if (transport::classify(flight.bytes) == transport::PacketClass::rtp) {
      diagram_.add_packet(sender, elapsed(), flight.bytes.size(), "SRTP");
      return true;
    }
    const bool is_lost = lost_ == datagrams_++;
    diagram_.sent_by(sender, is_lost);
    return !is_lost;
  }

  // On by a millisecond; who is connected now says so and sends.
  void step() {
    const bool was_up[] = {is_up(call_.client), is_up(call_.server)};
    const bool was_closed = call_.server.closed;
    call_.run_for(1ms);
    if (!was_up[0] && is_up(call_.client)) greet(call_.client, Role::client);
    if (!was_up[1] && is_up(call_.server)) greet(call_.server, Role::server);
    if (!was_closed && call_.server.closed) {
      diagram_.add_note(Role::server, elapsed(), "closed by the peer");
    }
  }

  void greet(transport::End& end, Role role) {
    diagram_.add_note(role, elapsed(), "connected, has the SRTP keys");
    call_.send_rtp(end, kRtp);
    if (role == Role::client) call_.send_data(end, kMessage);
  }

  test::SeededRandom random_;
  Diagram diagram_;
  dtls::Environment environment_;
  std::optional<std::size_t> lost_;
  std::size_t datagrams_ = 0;
  transport::Call call_;
};

constexpr std::string_view kHead = R"(# Calls, datagram by datagram

Written by `./dev sequences` from what a [packet observer](../dtls/include/sluice/dtls/packet_observer.h) was told of
calls in virtual time; a test sees that it still holds. Both ends are a `MediaTransport`, with ECDSA P-256 certificates
on both sides, on a path with a round trip of 100 ms that ICE has measured.

Each arrow is a datagram, with the time at which it leaves, its size as payload of UDP, and its records: `2/1` is record
1 of epoch 2 (epoch 0 is plaintext), and the number behind a handshake message is its `message_seq`.
)";

std::string document() {
  static const Scenario kScenarios[] = {
      {"DTLS 1.3", "One round trip, and the client can send.", dtls::ProtocolVersion::dtls13},
      {"DTLS 1.2", "Two round trips, and the server can send half a round trip before the client.",
       dtls::ProtocolVersion::dtls12},
      {"DTLS 1.3, a datagram lost",
       "With an MTU of 600 bytes the server's flight takes two datagrams, and the second is lost. "
       "The client waits a little for\nthe rest, then acknowledges what it has; the server repeats "
       "what is missing, and nothing else (RFC 9147 section 7).",
       dtls::ProtocolVersion::dtls13, 600, 2},
  };
  std::ostringstream text;
  text << kHead;
  for (const Scenario& scenario : kScenarios) {
    text << "\n## " << scenario.title << "\n\n"
         << scenario.text << "\n\n```mermaid\n"
         << Performance(scenario).diagram() << "```\n";
  }
  return std::move(text).str();
}

int check(const char* path) {
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  const std::string drawn = document();
  if (written.str() == drawn) return 0;
  std::cout << drawn << "\n"
            << path << " shows another sequence: if this one is right, run ./dev sequences\n";
  return 1;
}

}  // namespace
}  // namespace sluice::sequences

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--check") {
    return sluice::sequences::check(argv[2]);
  }
  std::cout << sluice::sequences::document();
  return 0;
}
