// The key log of SSLKEYLOGFILE (RFC 9850).
#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "scenario/diagnostics/watched_call.h"
#include "support/by_version.h"
#include "support/libssl_peer.h"

namespace sluice::test {
namespace {

using testing::UnorderedElementsAre;

class KeyLog : public ByVersion {
 protected:
  RecordingKeyLog log_;
};

std::multiset<std::string> labels_of(const std::vector<std::string>& lines) {
  std::multiset<std::string> labels;
  for (const auto& line : lines) labels.insert(line.substr(0, line.find(' ')));
  return labels;
}

TEST_P(KeyLog, EachSideLogsEachSecretOnce) {
  WatchedCall call(options(), {.key_log = &log_});
  call.run();
  const auto labels = labels_of(log_.lines);
  if (is13()) {
    EXPECT_THAT(std::set<std::string>(labels.begin(), labels.end()),
                UnorderedElementsAre("CLIENT_HANDSHAKE_TRAFFIC_SECRET",
                                     "SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0",
                                     "SERVER_TRAFFIC_SECRET_0", "EXPORTER_SECRET"));
    EXPECT_EQ(labels.size(), 2 * 5);
  } else {
    EXPECT_THAT(labels, UnorderedElementsAre("CLIENT_RANDOM", "CLIENT_RANDOM"));
  }
  // Both have the same secrets under the same random.
  const std::set<std::string> distinct(log_.lines.begin(), log_.lines.end());
  EXPECT_EQ(distinct.size(), log_.lines.size() / 2);
}

TEST_P(KeyLog, ALineIsALabelTheRandomAndTheSecretInLowerCase) {
  for (const auto suite :
       {dtls::CipherSuite::aes_128_gcm_sha256, dtls::CipherSuite::aes_256_gcm_sha384}) {
    log_.lines.clear();
    auto with = options();
    if (is13()) with.cipher_suites = {suite};
    WatchedCall call(with, {.key_log = &log_});
    const auto& carried = call.run();
    const std::string size = is13() && suite == dtls::CipherSuite::aes_128_gcm_sha256 ? "64" : "96";
    // The random stands behind the headers of record and message and the version.
    const std::string random =
        to_hex(dtls::Bytes(carried.front().datagram).subspan(13 + 12 + 2, 32));
    const std::regex form(
        std::string("[A-Z_0]+ ").append(random).append(" [0-9a-f]{").append(size).append("}"));
    for (const auto& line : log_.lines) EXPECT_TRUE(std::regex_match(line, form)) << line;
    EXPECT_FALSE(log_.lines.empty());
  }
}

TEST_P(KeyLog, OpensEveryRecordOfTheCall) {
  for (const auto group : {dtls::NamedGroup::x25519, dtls::NamedGroup::secp256r1}) {
    // The second costs DTLS 1.3 a HelloRetryRequest.
    auto server_options = options();
    server_options.groups = {group};
    WatchedCall call(options(), {.key_log = &log_});
    call.server = Peer(
        must(dtls::Connection::server(make_config(server_options), call.environment, kPath, {})));
    const auto& carried = call.run();
    Eavesdropper eavesdropper(log_.lines);
    for (const auto& [sender, datagram] : carried) eavesdropper.hear(sender, datagram);

    EXPECT_EQ(eavesdropper.unreadable, 0);
    std::vector<dtls::Buffer> said;
    for (const auto& record : eavesdropper.records) {
      if (record.type == dtls::wire::ContentType::application_data) said.push_back(record.contents);
    }
    EXPECT_THAT(said, testing::ElementsAre(copy_of(bytes_of("from the client")),
                                           copy_of(bytes_of("from the server"))));
  }
}

TEST_P(KeyLog, AHelloAloneLeadsToNoSecret) {
  WatchedCall call(options(), {.key_log = &log_});
  EXPECT_THAT(log_.lines, testing::IsEmpty());
  EXPECT_FALSE(call.client.take_datagrams().empty());
  EXPECT_THAT(log_.lines, testing::IsEmpty());
}

// RFC 9850 names the first secrets alone: the next follow from them.
TEST_P(KeyLog, AKeyUpdateAddsNoLine) {
  if (!is13()) return;
  WatchedCall call(options(), {.key_log = &log_});
  call.run();
  const auto before = log_.lines;
  call.client.settle(
      call.client.connection().update_keys(dtls::KeyUpdateRequest::update_requested, {}), {});
  call.exchange();
  call.client.settle(
      call.client.connection().handle_timeout(dtls::Instant(std::chrono::seconds{1})), {});
  call.exchange();
  EXPECT_EQ(log_.lines, before);
}

TEST_P(KeyLog, ConnectionsOfOtherEnvironmentsAreNotLogged) {
  const WatchedCall logged(options(), {.key_log = &log_});
  WatchedCall other(options(), {});
  other.run();
  EXPECT_THAT(log_.lines, testing::IsEmpty());
  EXPECT_TRUE(other.client.connected);
}

INSTANTIATE_TEST_SUITE_P(Versions, KeyLog, both_versions(), name_of_version);

// What libssl says of the same association.
class KeyLogOfLibssl : public testing::TestWithParam<bool> {
 protected:
  static std::vector<std::string>& lines() {
    static std::vector<std::string> kept;
    return kept;
  }
  void SetUp() override { lines().clear(); }
};

TEST_P(KeyLogOfLibssl, IsTheSame) {
  const bool libssl_serves = GetParam();
  LibsslOptions libssl_options;
  libssl_options.is_server = libssl_serves;
  const LibsslContext context(libssl_options);
  SSL_CTX_set_keylog_callback(context.get(),
                              [](const SSL*, const char* line) { lines().emplace_back(line); });
  LibsslPeer libssl(context);

  RecordingKeyLog log;
  auto environment = must(dtls::Environment::make({.key_log = &log}));
  const auto config = make_config(options_for(dtls::ProtocolVersion::dtls12));
  Peer ours(must(libssl_serves ? dtls::Connection::client(config, environment, kPath, {})
                               : dtls::Connection::server(config, environment, kPath, {})));
  libssl.advance();
  for (bool moved = true; moved;) {
    moved = false;
    for (auto& datagram : ours.take_datagrams()) {
      libssl.receive(std::move(datagram));
      moved = true;
    }
    for (auto& datagram : libssl.take_datagrams()) {
      ours.receive(std::move(datagram), {});
      moved = true;
    }
  }
  ASSERT_TRUE(libssl.connected() && ours.connected) << libssl.error();
  EXPECT_EQ(log.lines, lines());
  EXPECT_EQ(lines().size(), 1);
}

INSTANTIATE_TEST_SUITE_P(Roles, KeyLogOfLibssl, testing::Bool(), [](const auto& tested) {
  return tested.param ? "LibsslServes" : "LibsslCalls";
});

}  // namespace
}  // namespace sluice::test
