// The session of docs/examples/own_ice.cc.
#include <gtest/gtest.h>

#define main example_main  // NOLINT(cppcoreguidelines-macro-usage): it has a main of its own
#include "../../../docs/examples/own_ice.cc"
#undef main

#include "support/endpoints.h"

namespace sluice::test {
namespace {

struct Hosted {
  Hosted()
      : session(
            must(transport::MediaTransport::make({.dtls = make_config()}, environment())),
            {.send = [this](dtls::PathId,
                            dtls::Bytes bytes) { sent.emplace_back(bytes.begin(), bytes.end()); },
             .on_rtp = [](dtls::Bytes) {},
             .on_rtcp = [](dtls::Bytes) {},
             .on_data = [](dtls::Bytes) {},
             .on_end = [this](const std::string& why) { ends.push_back(why); }}) {}

  std::vector<dtls::Buffer> sent;
  std::vector<std::string> ends;
  Session session;
};

dtls::Fingerprint print_of(const dtls::Identity& identity) {
  return must(
      dtls::Fingerprint::of(identity.certificate(), dtls::HashAlgorithm::sha256, environment()));
}

void begin(Hosted& hosted, dtls::Role role, const dtls::Fingerprint& expected) {
  hosted.session.on_description(role, {expected}, {});
  hosted.session.on_pair_checked(kPair, {});
  hosted.session.on_pair_selected(kPair, kRtt, {});
}

bool carry(Hosted& from, Hosted& to) {
  auto datagrams = std::exchange(from.sent, {});
  for (auto& datagram : datagrams) to.session.on_datagram(datagram, kPair, {});
  return !datagrams.empty();
}

TEST(HostilePeer, TheEndIsToldOnce) {
  Hosted good;
  Hosted bad;
  begin(good, dtls::Role::server, print_of(rsa_identity()));  // another certificate than is used
  begin(bad, dtls::Role::client, print_of(ecdsa_identity()));
  while (carry(bad, good) || carry(good, bad)) {
  }
  for (int i = 0; i < 10; ++i) {
    dtls::Buffer late(100, std::byte{22});
    good.session.on_datagram(late, kPair, {});
    good.session.on_timeout(dtls::Instant{std::chrono::seconds{i}});
  }
  ASSERT_EQ(good.ends.size(), 1U);
  EXPECT_NE(good.ends.front().find("fingerprint mismatch"), std::string::npos) << good.ends.front();
  EXPECT_NE(good.ends.front().find(print_of(rsa_identity()).to_sdp()), std::string::npos);
  EXPECT_NE(good.ends.front().find(print_of(ecdsa_identity()).to_sdp()), std::string::npos);
  EXPECT_EQ(bad.ends.size(), 1U) << "by the alert";
}

TEST(HostilePeer, GarbageEndsNothing) {
  Hosted server;
  Hosted client;
  begin(server, dtls::Role::server, print_of(ecdsa_identity()));
  begin(client, dtls::Role::client, print_of(ecdsa_identity()));
  for (unsigned first = 0; first < 256; ++first) {
    dtls::Buffer garbage(40, std::byte{0x5a});
    garbage[0] = static_cast<std::byte>(first);
    server.session.on_datagram(garbage, kPair, {});
  }
  while (carry(client, server) || carry(server, client)) {
  }
  EXPECT_TRUE(server.ends.empty() && client.ends.empty());
}

}  // namespace
}  // namespace sluice::test
