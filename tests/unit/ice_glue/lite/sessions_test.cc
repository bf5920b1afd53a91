// Sessions of an IceLiteServer: handles, credentials, options, the end.
#include <set>
#include <string>

#include "lite_server.h"

namespace sluice::ice_lite {
namespace {

SessionOptions with(const Credentials& local) {
  SessionOptions options;
  options.transport.dtls = test::make_config();
  options.local = local;
  return options;
}

TEST(LiteSessions, HaveRandomCredentials) {
  LiteServer lite;
  std::set<std::string> ufrags;
  for (int i = 0; i < 100; ++i) {
    const auto made = lite.server.local_credentials(lite.add()).value();
    EXPECT_EQ(made.ufrag.size(), 8U);
    EXPECT_EQ(made.pwd.size(), 24U);
    EXPECT_EQ((made.ufrag + made.pwd)
                  .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn"
                                     "opqrstuvwxyz0123456789+/"),
              std::string::npos);
    ufrags.insert(made.ufrag);
  }
  EXPECT_EQ(ufrags.size(), 100U);
}

TEST(LiteSessions, TakeGivenCredentials) {
  LiteServer lite;
  const Credentials given{.ufrag = "abcd", .pwd = "0123456789012345678901"};
  const auto session = lite.add(with(given));
  EXPECT_EQ(lite.server.local_credentials(session), given);
  EXPECT_EQ(lite.nominate(session, kPeer), kSuccess);
  const auto again = lite.server.add_session(with(given), lite.now);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, dtls::Errc::invalid_argument);
  lite.server.remove(session);
  EXPECT_TRUE(lite.server.add_session(with(given), lite.now));
}

// RFC 8839 section 5.4.
TEST(LiteSessions, RefuseInvalidCredentials) {
  LiteServer lite;
  const std::string pwd = "0123456789012345678901";
  const Credentials invalid[] = {
      {"abc", pwd},        {"abcd", pwd.substr(1)},      {"ab:d", pwd},
      {"abc ", pwd},       {std::string(257, 'a'), pwd}, {"abcd", std::string(257, 'a')},
      {"abcd", pwd + "\n"}};
  for (const auto& each : invalid) {
    const auto made = lite.server.add_session(with(each), lite.now);
    ASSERT_FALSE(made) << each.ufrag << ' ' << each.pwd;
    EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
  }
  auto options = with({"abcd", pwd});
  options.remote_ufrag = "abc";
  EXPECT_FALSE(lite.server.add_session(options, lite.now));
  EXPECT_TRUE(
      lite.server.add_session(with({std::string(256, 'a'), std::string(256, '+')}), lite.now));
  EXPECT_EQ(lite.server.size(), 1U);
}

TEST(LiteSessions, AreLimited) {
  LiteServer lite({.max_sessions = 2});
  const auto first = lite.add();
  lite.add();
  SessionOptions options;
  options.transport.dtls = test::make_config();
  const auto third = lite.server.add_session(options, lite.now);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, dtls::Errc::too_many_connections);
  lite.server.remove(first);
  EXPECT_TRUE(lite.server.add_session(options, lite.now));
}

TEST(LiteSessions, NeedPathsForTheirTuples) {
  LiteServer lite({.max_tuples_per_session = 65});
  SessionOptions options;
  options.transport.dtls = test::make_config();
  const auto made = lite.server.add_session(options, lite.now);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
  options.transport.max_paths = 65;
  EXPECT_TRUE(lite.server.add_session(options, lite.now));
}

TEST(LiteSessions, HaveHandlesThatNoOtherEverHas) {
  LiteServer lite;
  const auto first = lite.add();
  lite.server.remove(first);
  const auto second = lite.add();
  EXPECT_EQ(slot_of(first), slot_of(second));
  EXPECT_NE(first, second);
  EXPECT_EQ(lite.server.find(first), nullptr);
  EXPECT_NE(lite.server.find(second), nullptr);
  EXPECT_EQ(lite.server.close(first, lite.now).error().code, dtls::Errc::closed);
  EXPECT_EQ(lite.server.local_credentials(first), std::nullopt);
  EXPECT_EQ(lite.server.path_of(first), std::nullopt);
  EXPECT_EQ(lite.server.srtp_session(first), nullptr);
  EXPECT_EQ(lite.server.restart_ice(first, {}, lite.now).error().code, dtls::Errc::closed);
  EXPECT_EQ(lite.server.set_remote_ufrag(first, "abcd", lite.now).error().code, dtls::Errc::closed);
  EXPECT_EQ(lite.server.set_peer_fingerprints(first, {}, lite.now).error().code,
            dtls::Errc::closed);
  EXPECT_EQ(lite.server.find(kNoSession), nullptr);
  std::array<std::byte, 200> buffer{};
  EXPECT_EQ(lite.server.protect_rtp(first, buffer, 20).error(), srtp::PacketError::no_key);
  EXPECT_EQ(lite.server.seal_data(first, {}, buffer).error(), dtls::SendError::not_connected);
}

TEST(LiteSessions, EndOnceWhenTheyAreClosed) {
  LiteServer lite;
  const auto session = lite.add();
  lite.nominate(session, kPeer);
  EXPECT_TRUE(lite.server.close(session, lite.now)->event);
  EXPECT_EQ(lite.server.size(), 0U);
  EXPECT_EQ(lite.server.find(LiteServer::path(kPeer)), std::nullopt);
  EXPECT_FALSE(lite.server.close(session, lite.now));
  lite.drain();
  const auto ended = lite.told<Ended>(session);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].reason, EndReason::closed);
  // The event came last, so its slot is free after the next turn.
  lite.drain();
  EXPECT_EQ(lite.server.tuples(), 0U);
  EXPECT_EQ(slot_of(lite.add()), slot_of(session));
}

TEST(LiteSessions, AreSilentWhenTheyAreRemoved) {
  LiteServer lite;
  const auto session = lite.add();
  auto check = make_check(lite.check_for(session));
  lite.server.handle_datagram(check, LiteServer::path(kPeer), lite.now);
  lite.server.remove(session);
  lite.server.remove(session);
  lite.drain();
  EXPECT_TRUE(lite.events.empty());
  EXPECT_EQ(lite.server.tuples(), 0U);
  EXPECT_EQ(lite.check(LiteServer::check_for(Credentials{"abcd", "x"}), kPeer), error(401));
}

TEST(LiteSessions, EndTogether) {
  LiteServer lite;
  const auto a = lite.add();
  const auto b = lite.add();
  EXPECT_TRUE(lite.server.close_all(lite.now).event);
  lite.drain();
  EXPECT_EQ(lite.told<Ended>(a).size() + lite.told<Ended>(b).size(), 2U);
  EXPECT_EQ(lite.server.size(), 0U);
}

TEST(LiteServerOptions, AreChecked) {
  const std::pair<const char*, ServerOptions> invalid[] = {
      {"max_tuples_per_session", {.max_tuples_per_session = 0}},
      {"max_tuples_per_session", {.max_tuples_per_session = 1025}},
      {"max_tuples", {.max_tuples = 16'777'216}},
      {"ipv6_host_prefix", {.ipv6_host_prefix = 129}},
      {"max_early_tuples", {.max_early_tuples = 65537}},
      {"tuple_hold", {.tuple_hold = -1us}},
      {"max_timers_per_call", {.max_timers_per_call = 0}},
      {"reserved_sessions", {.max_sessions = 1, .reserved_sessions = 2}},
      {"max_sessions", {.max_sessions = UINT32_MAX}},
  };
  for (const auto& [name, options] : invalid) {
    const auto made = IceLiteServer::make(options, test::environment());
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, dtls::Errc::invalid_config);
    EXPECT_EQ(made.error().detail.view(), name);
  }
}

TEST(LiteSessions, MoveWithTheServer) {
  LiteServer lite;
  const auto session = lite.add();
  IceLiteServer moved = std::move(lite.server);
  lite.server = std::move(moved);
  EXPECT_EQ(lite.nominate(session, kPeer), kSuccess);
}

TEST(LiteNames, AreThere) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropReasons; ++i) names.insert(to_string(static_cast<Drop>(i)));
  EXPECT_EQ(names.size(), kDropReasons);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(to_string(static_cast<Drop>(kDropReasons)), "unknown");
  std::set<std::string_view> reasons;
  for (std::size_t i = 0; i < kEndReasons; ++i) {
    reasons.insert(to_string(static_cast<EndReason>(i)));
  }
  EXPECT_EQ(reasons.size(), kEndReasons);
  EXPECT_FALSE(reasons.contains("unknown"));
  EXPECT_EQ(to_string(static_cast<EndReason>(kEndReasons)), "unknown");
}

}  // namespace
}  // namespace sluice::ice_lite
