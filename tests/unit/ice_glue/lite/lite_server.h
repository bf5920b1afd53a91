// An IceLiteServer with what a test sends to it and reads from it; no client, no time.
#pragma once

#include <gtest/gtest.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/stun/message.h>

#include <array>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "support/endpoints.h"
#include "support/ice_checks.h"
#include "support/ice_world.h"

namespace sluice::ice_lite {

using namespace std::chrono_literals;
using test::address;
using test::CheckFields;
using test::make_check;

class LiteServer {
 public:
  struct Sent {
    dtls::UdpPath path;
    dtls::Buffer bytes;
  };

  explicit LiteServer(const ServerOptions& options = {})
      : server(test::must(IceLiteServer::make(options, test::environment()))) {}

  SessionHandle add(SessionOptions options = {}) {
    if (!options.transport.dtls) options.transport.dtls = test::make_config();
    return test::must(server.add_session(options, now));
  }
  // A check for this session, with the newest credentials.
  [[nodiscard]] CheckFields check_for(SessionHandle session) const {
    return check_for(server.local_credentials(session).value());
  }
  [[nodiscard]] static CheckFields check_for(const Credentials& credentials) {
    return {.username = credentials.ufrag + ":peer", .pwd = credentials.pwd};
  }

  void send(dtls::Buffer datagram, const dtls::UdpEndpoint& from) {
    server.handle_datagram(datagram, path(from), now);
    drain();
  }
  // The class and error code of the response, empty where there is none.
  struct Answer {
    stun::MessageClass what;
    std::uint16_t error = 0;

    friend bool operator==(const Answer&, const Answer&) = default;
  };
  std::optional<Answer> check(const CheckFields& fields, const dtls::UdpEndpoint& from) {
    sent.clear();
    send(make_check(fields), from);
    if (sent.empty()) return std::nullopt;
    const auto message = stun::decode(sent.front().bytes);
    if (!message || sent.size() != 1) return std::nullopt;
    return Answer{message->message_class, message->error_code.value_or(0)};
  }
  std::optional<Answer> nominate(SessionHandle session, const dtls::UdpEndpoint& from,
                                 std::uint32_t priority = 1'000'000) {
    auto fields = check_for(session);
    fields.use_candidate = true;
    fields.priority = priority;
    return check(fields, from);
  }
  void pass(dtls::Duration time) {
    now += time;
    while (server.next_timeout() && *server.next_timeout() <= now) {
      server.handle_timeout(now);
      drain();
    }
  }
  void drain() {
    std::array<std::byte, dtls::kMaxDatagram> out{};
    while (const auto next = server.poll_transmit(out)) {
      const auto end = out.begin() + static_cast<std::ptrdiff_t>(next->size);
      sent.push_back({next->path, dtls::Buffer(out.begin(), end)});
    }
    while (server.poll_data()) continue;
    while (server.poll_media()) continue;
    while (auto event = server.poll_event()) events.push_back(std::move(*event));
  }
  template <class What>
  [[nodiscard]] std::vector<What> told(SessionHandle session) const {
    std::vector<What> found;
    for (const Event& event : events) {
      const auto* what = std::get_if<What>(&event.what);
      if (event.session == session && what != nullptr) found.push_back(*what);
    }
    return found;
  }
  [[nodiscard]] std::uint64_t dropped(Drop reason) const {
    return server.statistics().count(reason);
  }
  static dtls::UdpPath path(const dtls::UdpEndpoint& from) {
    return {.peer = from, .own = test::kServerAddress};
  }
  // Where the session sends.
  [[nodiscard]] std::optional<dtls::UdpEndpoint> peer_of(SessionHandle session) const {
    const auto path = server.path_of(session);
    if (!path) return std::nullopt;
    return path->peer;
  }

  Instant now = Instant(1h);
  IceLiteServer server;
  std::vector<Sent> sent;
  std::vector<Event> events;
};

// An address of a peer.
inline const dtls::UdpEndpoint kPeer = address(1, 5000);

inline constexpr LiteServer::Answer kSuccess{stun::MessageClass::success_response};
constexpr LiteServer::Answer error(std::uint16_t code) {
  return {stun::MessageClass::error_response, code};
}

}  // namespace sluice::ice_lite
