// Two agents of real libnice on loopback, without DTLS.
#include "ice_generations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/main_context.h"

namespace sluice::nice {
namespace {

using dtls::PathId;
using test::MainContext;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

IceOptions on_loopback(IceRole role) {
  IceOptions options;
  options.role = role;
  options.local_addresses = {"127.0.0.1"};
  options.pacing = std::chrono::milliseconds{5};
  return options;
}

struct Side final : IceGenerations::Handler {
  Side(MainContext& context, const IceOptions& options)
      : ice(std::make_unique<IceGenerations>(context.get(), options, *this)) {}

  void on_local_candidate(std::string line) override {
    candidates.push_back(line);
    if (trickle_to != nullptr) trickle_to->ice->add_remote_candidate(line);
  }
  void on_local_candidates_done() override { gathered = true; }
  void on_ice_state(IceState state) override { states.push_back(state); }
  void on_path_selected(PathId path, CandidatePair pair,
                        std::optional<dtls::Duration> rtt) override {
    EXPECT_EQ(rtt, ice->statistics().rtt_bound);
    selected = path;
    pairs.push_back(pair);
  }
  void on_path_lost(PathId path) override { lost.push_back(path); }
  void on_datagram(PathId path, dtls::MutableBytes datagram) override {
    received[path].emplace_back(reinterpret_cast<const char*>(datagram.data()), datagram.size());
    if (on_next_datagram) std::exchange(on_next_datagram, nullptr)();
  }

  [[nodiscard]] bool has_pair() const { return ice->begun() && ice->selected(); }

  std::unique_ptr<IceGenerations> ice;
  Side* trickle_to = nullptr;
  std::vector<std::string> candidates;
  bool gathered = false;
  std::vector<IceState> states;
  std::optional<PathId> selected;
  std::vector<CandidatePair> pairs;
  std::vector<PathId> lost;
  std::map<PathId, std::vector<std::string>> received;
  std::function<void()> on_next_datagram;
};

void exchange(Side& a, Side& b) {
  a.ice->set_remote_credentials(b.ice->local_credentials());
  b.ice->set_remote_credentials(a.ice->local_credentials());
  for (const auto& line : b.ice->local_candidates()) a.ice->add_remote_candidate(line);
  for (const auto& line : a.ice->local_candidates()) b.ice->add_remote_candidate(line);
}

class IceGenerationsTest : public testing::Test {
 public:
  void connect() {
    ASSERT_TRUE(a.ice->begin().has_value());
    ASSERT_TRUE(b.ice->begin().has_value());
    exchange(a, b);
    ASSERT_TRUE(context.run_until([&] { return a.has_pair() && b.has_pair(); }));
  }

  // Sends until it arrives: a socket may lose a datagram, even here.
  void expect_passes(Side& from, Side& to, PathId path, const std::string& text) {
    EXPECT_TRUE(context.run_until([&] {
      from.ice->send(path, bytes_of(text));
      context.run_ready();
      const auto& got = to.received[path];
      return std::find(got.begin(), got.end(), text) != got.end();
    }));
  }

  MainContext context;
  Side a{context, on_loopback(IceRole::controlling)};
  Side b{context, on_loopback(IceRole::controlled)};
};

TEST_F(IceGenerationsTest, GathersAndNamesItsGeneration) {
  ASSERT_TRUE(a.ice->begin().has_value());
  ASSERT_TRUE(context.run_until([&] { return a.gathered; }));
  ASSERT_EQ(a.candidates.size(), 1u);
  const auto line = parse_candidate(a.candidates.front());
  ASSERT_TRUE(line.has_value()) << a.candidates.front();
  EXPECT_EQ(line->address, "127.0.0.1");
  EXPECT_EQ(line->type, CandidateType::host);
  EXPECT_EQ(line->ufrag, a.ice->local_credentials().ufrag);
  EXPECT_TRUE(check(a.ice->local_credentials()).has_value());
  EXPECT_EQ(a.ice->local_candidates(), a.candidates);
  EXPECT_TRUE(a.ice->statistics().gathering_time.has_value());
}

TEST_F(IceGenerationsTest, ConnectsAndPassesDatagramsBothWays) {
  connect();
  EXPECT_EQ(a.selected, PathId{0});
  expect_passes(a, b, PathId{0}, "\x16to b");
  expect_passes(b, a, PathId{0}, "\x16to a");

  const auto of_a = a.ice->statistics();
  const auto of_b = b.ice->statistics();
  ASSERT_TRUE(of_a.selected_pair && of_b.selected_pair);
  EXPECT_EQ(of_a.selected_pair->local.port, of_b.selected_pair->remote.port);
  EXPECT_EQ(of_a.selected_pair->local.address, "127.0.0.1");
  EXPECT_EQ(of_a.selected_pair->local.type, CandidateType::host);
  EXPECT_TRUE(of_a.connecting_time.has_value());
  EXPECT_GE(of_a.datagrams_sent, 1u);
  EXPECT_GE(of_a.datagrams_received, 1u);
  EXPECT_EQ(of_a.bytes_received, of_a.datagrams_received * 5);
  EXPECT_EQ(of_a.restarts, 0u);
}

TEST_F(IceGenerationsTest, TricklesCandidates) {
  a.trickle_to = &b;
  b.trickle_to = &a;
  ASSERT_TRUE(a.ice->begin().has_value());
  const auto first = a.candidates;
  EXPECT_EQ(b.ice->statistics().remote_candidates_ignored, first.size());  // no description yet
  ASSERT_TRUE(b.ice->begin().has_value());
  // Only the credentials are exchanged; the candidates come one by one.
  a.ice->set_remote_credentials(b.ice->local_credentials());
  b.ice->set_remote_credentials(a.ice->local_credentials());
  EXPECT_EQ(b.ice->add_remote_candidate(first.front()), CandidateStatus::added);
  ASSERT_TRUE(context.run_until([&] { return a.has_pair() && b.has_pair(); }));
}

TEST_F(IceGenerationsTest, SaysWhatItDoesNotTakeOfACandidate) {
  ASSERT_TRUE(a.ice->begin().has_value());
  const std::string good = "candidate:1 1 UDP 1000 127.0.0.1 50000 typ host";
  EXPECT_EQ(a.ice->add_remote_candidate(good), CandidateStatus::no_remote_description);
  a.ice->set_remote_credentials({.ufrag = "abcd", .pwd = std::string(22, 'p')});
  EXPECT_EQ(a.ice->add_remote_candidate("candidate:"), CandidateStatus::malformed);
  EXPECT_EQ(a.ice->add_remote_candidate(good + " ufrag wxyz"), CandidateStatus::stale);
  for (const auto* text : {"candidate:1 2 UDP 1000 127.0.0.1 50000 typ host",   // RTCP's own
                           "candidate:1 1 UDP 1000 d2c5.local 50000 typ host",  // mDNS
                           "candidate:1 1 UDP 1000 127.0.0.1 50000 typ prflx",  //
                           "candidate:1 1 TCP 1000 127.0.0.1 9 typ host tcptype active"}) {
    EXPECT_EQ(a.ice->add_remote_candidate(text), CandidateStatus::unusable) << text;
  }
  EXPECT_EQ(a.ice->add_remote_candidate(good + " ufrag abcd"), CandidateStatus::added);
  for (std::size_t port = 1; port < kMaxRemoteCandidates; ++port) {
    EXPECT_EQ(a.ice->add_remote_candidate("candidate:1 1 UDP 1000 127.0.0.1 " +
                                          std::to_string(50000 + port) + " typ host"),
              CandidateStatus::added);
  }
  EXPECT_EQ(a.ice->add_remote_candidate("candidate:1 1 UDP 1000 127.0.0.1 51000 typ host"),
            CandidateStatus::too_many);
  EXPECT_EQ(a.ice->statistics().remote_candidates_ignored, 8u);
}

TEST_F(IceGenerationsTest, TakesNoDatagramFromAnUncheckedAgent) {
  connect();
  // A third agent knows where `a` listens, but not its password.
  Side unchecked{context, on_loopback(IceRole::controlling)};
  ASSERT_TRUE(unchecked.ice->begin().has_value());
  unchecked.ice->set_remote_credentials({.ufrag = "abcd", .pwd = std::string(22, 'p')});
  std::string line = a.ice->local_candidates().front();
  line.erase(line.find(" ufrag"));
  EXPECT_EQ(unchecked.ice->add_remote_candidate(line), CandidateStatus::added);
  unchecked.ice->end_of_remote_candidates();

  GSocketAddress* to =
      g_inet_socket_address_new_from_string("127.0.0.1", parse_candidate(line)->port);
  GSocket* socket =
      g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, nullptr);
  EXPECT_EQ(g_socket_send_to(socket, to, "\x16unknown", 8, nullptr, nullptr), 8);
  g_object_unref(socket);
  g_object_unref(to);
  // What comes after it from the peer arrives, so it has been looked at.
  expect_passes(b, a, PathId{0}, "\x16peer");
  for (const auto& text : a.received[PathId{0}]) EXPECT_EQ(text, "\x16peer");
  EXPECT_FALSE(unchecked.has_pair());
}

TEST_F(IceGenerationsTest, RestartsOnFreshSocketsWhileTheOldPathServes) {
  connect();
  const auto old_credentials = a.ice->local_credentials();
  const auto old_candidates = a.ice->local_candidates();
  ASSERT_TRUE(a.ice->begin().has_value());
  EXPECT_NE(a.ice->local_credentials(), old_credentials);
  ASSERT_EQ(a.ice->local_candidates().size(), 1u);
  EXPECT_NE(parse_candidate(a.ice->local_candidates().front())->port,
            parse_candidate(old_candidates.front())->port);
  EXPECT_FALSE(a.ice->selected());
  EXPECT_THAT(a.ice->selected_paths(), testing::SizeIs(1));
  expect_passes(a, b, PathId{0}, "\x80old");

  ASSERT_TRUE(b.ice->begin().has_value());
  EXPECT_EQ(b.ice->add_remote_candidate(old_candidates.front()),
            CandidateStatus::no_remote_description);
  exchange(a, b);
  EXPECT_EQ(b.ice->add_remote_candidate(old_candidates.front()), CandidateStatus::stale);
  ASSERT_TRUE(context.run_until([&] { return a.ice->selected() && b.ice->selected(); }));
  EXPECT_EQ(a.selected, PathId{1});
  expect_passes(a, b, PathId{1}, "\x80new");
  expect_passes(b, a, PathId{0}, "\x80still old");
  EXPECT_EQ(a.ice->statistics().restarts, 1u);

  a.ice->retire_previous(0);
  a.ice->handle_timeout();
  EXPECT_THAT(a.lost, testing::ElementsAre(PathId{0}));
  EXPECT_EQ(a.ice->send(PathId{0}, bytes_of("\x80gone")), IceSend::would_block);
  expect_passes(a, b, PathId{1}, "\x80on");
}

TEST_F(IceGenerationsTest, KeepsAtMostTwoGenerations) {
  connect();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(a.ice->begin().has_value());
  // Path 0 still has a pair, 3 is the newest; what was begun and not finished is gone.
  EXPECT_THAT(a.lost, testing::ElementsAre(PathId{1}, PathId{2}));
  EXPECT_EQ(a.ice->path(), PathId{3});
  expect_passes(a, b, PathId{0}, "\x80old");
}

TEST_F(IceGenerationsTest, FailsWhenNothingAnswersInTime) {
  auto options = on_loopback(IceRole::controlling);
  options.timeout = std::chrono::milliseconds{1};
  Side hasty{context, options};
  ASSERT_TRUE(hasty.ice->begin().has_value());
  EXPECT_FALSE(hasty.ice->next_timeout().has_value());
  hasty.ice->set_remote_credentials({.ufrag = "abcd", .pwd = std::string(22, 'p')});
  const auto deadline = hasty.ice->next_timeout();
  ASSERT_TRUE(deadline.has_value());
  ASSERT_TRUE(context.run_until([&] {
    g_main_context_wakeup(context.get());
    hasty.ice->handle_timeout();
    return hasty.states.back() == IceState::failed;
  }));
  EXPECT_GE(g_get_monotonic_time(), *deadline);
  EXPECT_FALSE(hasty.ice->next_timeout().has_value());
}

TEST_F(IceGenerationsTest, SaysWhenThereIsNothingToGatherOn) {
  auto options = on_loopback(IceRole::controlling);
  options.local_addresses = {"192.0.2.1"};  // RFC 5737: nobody's
  Side nowhere{context, options};
  const auto begun = nowhere.ice->begin();
  ASSERT_FALSE(begun.has_value());
  EXPECT_EQ(begun.error().code, TransportErrc::gathering_failed);
  EXPECT_FALSE(nowhere.ice->begun());
}

TEST_F(IceGenerationsTest, KeepsToItsPorts) {
  auto options = on_loopback(IceRole::controlling);
  options.min_port = 40100;
  options.max_port = 40120;
  Side ranged{context, options};
  ASSERT_TRUE(ranged.ice->begin().has_value());
  const auto port = parse_candidate(ranged.ice->local_candidates().front())->port;
  EXPECT_GE(port, 40100);
  EXPECT_LE(port, 40120);
}

TEST_F(IceGenerationsTest, GathersOnLoopbackBesideTheHostsOwnAddresses) {
  IceOptions options;
  options.include_loopback = true;
  Side host{context, options};
  ASSERT_TRUE(host.ice->begin().has_value());
  EXPECT_THAT(host.ice->local_candidates(), testing::Contains(testing::HasSubstr(" 127.0.0.1 ")));
}

TEST_F(IceGenerationsTest, MayGoWithinADatagramsCall) {
  connect();
  b.on_next_datagram = [&] { b.ice.reset(); };
  EXPECT_TRUE(context.run_until([&] {
    a.ice->send(PathId{0}, bytes_of("\x80x"));
    context.run_ready();
    return b.ice == nullptr;
  }));
}

TEST_F(IceGenerationsTest, MayRestartWithinADatagramsCall) {
  connect();
  bool restarted = false;
  b.on_next_datagram = [&] {
    // Twice, so that the first of them goes at once.
    restarted = b.ice->begin().has_value() && b.ice->begin().has_value();
  };
  EXPECT_TRUE(context.run_until([&] {
    a.ice->send(PathId{0}, bytes_of("\x80x"));
    context.run_ready();
    return restarted;
  }));
}

}  // namespace
}  // namespace sluice::nice
