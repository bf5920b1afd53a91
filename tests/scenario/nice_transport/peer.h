// One side of a call over NiceTransport, and what it has been told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <sluice/dtls/config.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/identity.h>
#include <sluice/nice/nice_transport.h>

#include "support/bytes.h"
#include "support/rtp_packets.h"

namespace sluice::test {

inline std::string text_of(dtls::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline dtls::ConfigPtr make_config(dtls::Environment& environment) {
  auto config =
      dtls::Config::make({.identities = {dtls::Identity::self_signed(environment).value()}});
  return config.value();
}

inline nice::NiceTransportOptions on_loopback(nice::IceRole role, dtls::ConfigPtr config) {
  nice::NiceTransportOptions options;
  options.media.dtls = std::move(config);
  options.media.old_keys_linger = std::chrono::milliseconds{50};
  options.media.old_keys_hold = std::chrono::milliseconds{50};
  options.ice.role = role;
  options.ice.local_addresses = {"127.0.0.1"};
  options.ice.pacing = std::chrono::milliseconds{5};
  return options;
}

class Peer final : public nice::NiceTransportListener {
 public:
  // Used by one thread, the context's.
  Peer(dtls::Environment& environment, _GMainContext* context,
       const nice::NiceTransportOptions& options)
      : transport(nice::NiceTransport::make(options, environment, context, *this).value()) {}

  void on_local_candidate(std::string_view line) override {
    tell([&] { candidates.emplace_back(line); });
  }
  void on_local_candidates_done() override {
    tell([&] { candidates_done = true; });
  }
  void on_ice_state(nice::IceState state) override {
    tell([&] { states.push_back(state); });
  }
  void on_selected_pair(const nice::CandidatePair& pair) override {
    tell([&] { pairs.push_back(pair); });
    call(on_pair);
  }
  void on_connected(const dtls::ConnectionInfo& info) override {
    tell([&] { connections.push_back(info); });
    call(when_connected);
  }
  void on_rtp(nice::MutableBytes packet) override {
    tell([&] { rtp.emplace_back(packet.begin(), packet.end()); });
    call(when_rtp);
  }
  void on_rtcp(nice::MutableBytes packet) override {
    tell([&] { rtcp.emplace_back(packet.begin(), packet.end()); });
  }
  void on_data(nice::MutableBytes bytes) override {
    tell([&] { data.push_back(text_of(bytes)); });
    call(when_data);
  }
  void on_closed(const nice::CloseReason& reason) override {
    tell([&] { closed.push_back(reason); });
    call(when_closed);
  }

  // Makes a call that the test counts as one of its own: within it the listener must stay silent.
  template <class Method>
  auto quietly(Method method) {
    const struct Guard {
      bool& flag;
      ~Guard() { flag = false; }
    } guard{in_call_};
    in_call_ = true;
    return method(*transport);
  }

  [[nodiscard]] bool connected() const { return !connections.empty(); }
  [[nodiscard]] std::uint64_t associations() const {
    return transport->media_statistics().associations;
  }

  std::vector<std::string> candidates;
  bool candidates_done = false;
  std::vector<nice::IceState> states;
  std::vector<nice::CandidatePair> pairs;
  std::vector<dtls::ConnectionInfo> connections;
  std::vector<Packet> rtp;
  std::vector<Packet> rtcp;
  std::vector<std::string> data;
  std::vector<nice::CloseReason> closed;

  // Each runs once.
  std::function<void()> on_pair, when_connected, when_rtp, when_data, when_closed;

  std::optional<nice::NiceTransport> transport;  // last: it refers to the listener

 private:
  template <class Record>
  void tell(Record record) {
    EXPECT_FALSE(in_call_) << "called from within a method";
    EXPECT_TRUE(closed.empty()) << "called after on_closed()";
    record();
  }
  static void call(std::function<void()>& function) {
    if (function) std::exchange(function, nullptr)();
  }

  bool in_call_ = false;
};

// `offerer` and `answerer` tell each other their descriptions, with the candidates known so far.
inline void exchange_descriptions(Peer& offerer, Peer& answerer) {
  const auto gathered = offerer.quietly([](auto& t) { return t.gather(); });
  ASSERT_TRUE(gathered.has_value()) << to_string(gathered.error().code);
  const auto offer = offerer.transport->local_description();
  EXPECT_EQ(offer.setup, nice::Setup::actpass);
  const auto taken = answerer.quietly([&](auto& t) { return t.set_remote_offer(offer); });
  ASSERT_TRUE(taken.has_value()) << to_string(taken.error().code);
  const auto answer = answerer.transport->local_description();
  const auto done = offerer.quietly([&](auto& t) { return t.set_remote_answer(answer); });
  ASSERT_TRUE(done.has_value()) << to_string(done.error().code);
}

}  // namespace sluice::test
