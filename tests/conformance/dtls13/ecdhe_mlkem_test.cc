// X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem) in whole handshakes, where libcrypto has it; and that
// nobody sees it named where libcrypto hasn't.
#include "conformance/dtls13/vocabulary.h"
#include "crypto/key_exchange.h"
#include "message/key_share.h"
#include "message/server_hello.h"
#include "support/hello_fields.h"
#include "support/hybrid.h"
#include "support/listening_server.h"

namespace sluice::test {
namespace {

using dtls::ConfigOptions;
using dtls::NamedGroup;
using dtls::wire::ExtensionType;

constexpr auto kHybrid = NamedGroup::x25519_mlkem768;
constexpr auto kFirstBodyAt = dtls::record::kHeaderSize12 + dtls::message::kHandshakeHeaderSize;

ConfigOptions with_groups(ConfigOptions options, std::vector<NamedGroup> groups) {
  options.groups = std::move(groups);
  return options;
}

// The client's first message out of its datagrams.
Buffer body_of_flight(const std::vector<Buffer>& datagrams) {
  Buffer body;
  for (const Buffer& datagram : datagrams) {
    dtls::wire::Reader reader(Bytes(datagram).subspan(dtls::record::kHeaderSize12));
    const auto fragment = dtls::message::HandshakeFragment::take(reader);
    body.insert(body.end(), fragment->body.begin(), fragment->body.end());
  }
  return body;
}

struct Hybrid : testing::Test {
  void SetUp() override { SLUICE_NEEDS_HYBRID(); }
};

// The group that both know of; empty when there is no connection.
std::optional<NamedGroup> group_of(Pair& pair) {
  pair.run();
  if (!works(pair)) return std::nullopt;
  EXPECT_EQ(pair.client.connected->group, pair.server.connected->group);
  return pair.client.connected->group;
}

std::optional<NamedGroup> agreed(const ConfigOptions& client, const ConfigOptions& server) {
  Pair pair(client, server);
  return group_of(pair);
}

TEST_F(Hybrid, IsAgreedOnByAClientThatOffersItAndAServer) {
  for (const std::size_t mtu : {std::size_t{1200}, dtls::kMinimumMtu}) {
    for (const bool both_versions : {false, true}) {
      ConfigOptions client = with_hybrid(both_versions ? options() : options13());
      ConfigOptions server = both_versions ? options13() : options();
      client.mtu = server.mtu = mtu;
      EXPECT_EQ(agreed(client, server), kHybrid) << mtu;
    }
  }
}

TEST_F(Hybrid, NeedsNoOtherGroup) {
  const auto alone = with_groups(options(), {kHybrid});
  EXPECT_EQ(agreed(alone, alone), kHybrid);
  EXPECT_EQ(agreed(alone, options13()), kHybrid);
}

// 1184 + 32 bytes, and 1088 + 32 in the answer; X25519's share comes with it, for who doesn't know
// it.
TEST_F(Hybrid, SharesHaveTheirSizes) {
  Pair pair(with_hybrid(options13()), options13());
  auto hello = pair.client.take_datagrams();
  ASSERT_EQ(hello.size(), 2U);
  const auto fields = ClientHelloFields::decode(body_of_flight(hello));
  for (const auto& extension : fields.extensions) {
    if (extension.type != ExtensionType::key_share) continue;
    const auto shares = dtls::message::ClientShares::decode(extension.data);
    ASSERT_TRUE(shares);
    EXPECT_EQ(shares->count(), 2U);
    EXPECT_EQ(shares->find(kHybrid).value().size(), 1216U);
    EXPECT_EQ(shares->find(NamedGroup::x25519).value().size(), 32U);
  }
  for (auto& datagram : hello) pair.server.receive(std::move(datagram), {});
  const auto answer = pair.server.take_datagrams();
  const Buffer body = body_of_flight({answer.front()});
  dtls::wire::Reader reader(Bytes(answer.front()).subspan(dtls::record::kHeaderSize12));
  EXPECT_EQ(dtls::message::HandshakeFragment::take(reader)->header.type,
            HandshakeType::server_hello);
  EXPECT_NE(to_hex(body).find("0033"
                              "0464"
                              "11ec"
                              "0460"),
            std::string::npos);
}

TEST_F(Hybrid, AServerWithoutItTakesTheShareBesideIt) {
  const auto server = with_groups(options13(), {NamedGroup::x25519, NamedGroup::secp256r1});
  EXPECT_EQ(agreed(with_hybrid(options()), server), NamedGroup::x25519);
}

TEST_F(Hybrid, AClientThatDoesNotOfferItGetsAnother) {
  EXPECT_EQ(agreed(options(), options()), NamedGroup::x25519);
}

// A share that is there goes before a better group that isn't.
TEST_F(Hybrid, IsNotAskedForWhereAnotherShareIsThere) {
  const auto client = with_groups(options(), {NamedGroup::x25519, kHybrid});
  EXPECT_EQ(agreed(client, options()), NamedGroup::x25519);
}

// RFC 8446 section 4.1.4.
TEST_F(Hybrid, IsAskedForByARetryRequest) {
  const auto client = with_groups(options13(), {NamedGroup::secp256r1, kHybrid});
  const auto server = with_groups(options13(), {kHybrid});
  EXPECT_EQ(agreed(client, server), kHybrid);
  ListeningServer listening(make_config(server));
  Peer peer = make_client(make_config(client));
  const Buffer address = from_hex("7f000001 1234");
  exchange(peer, address, listening);
  EXPECT_TRUE(works(peer, address, listening));
  EXPECT_EQ(peer.connected->group, kHybrid);
}

TEST_F(Hybrid, IsAskedForAnotherGroupByARetryRequest) {
  const auto server = with_groups(options13(), {NamedGroup::secp384r1});
  EXPECT_EQ(agreed(with_hybrid(options13()), server), NamedGroup::secp384r1);
}

// Its hello comes twice, in two datagrams each time.
TEST_F(Hybrid, PassesAListener) {
  ListeningServer server(make_config(options13()));
  Peer client = make_client(make_config(with_hybrid(options13())));
  const Buffer address = from_hex("7f000001 1234");
  exchange(client, address, server);
  EXPECT_TRUE(works(client, address, server));
  EXPECT_EQ(client.connected->group, kHybrid);
  EXPECT_EQ(server.listener.statistics().hello_retry_requests, 1U);
}

// The draft is for TLS 1.3 alone. A hello that has it among its groups is one of 1.2 too.
TEST_F(Hybrid, IsNeverChosenForDtls12) {
  const auto both = with_hybrid(options());
  const auto only12 = with_hybrid(options_for(ProtocolVersion::dtls12));
  EXPECT_EQ(agreed(both, only12), NamedGroup::x25519);
  EXPECT_EQ(agreed(only12, both), NamedGroup::x25519);
  EXPECT_EQ(agreed(only12, only12), NamedGroup::x25519);
  Peer client = make_client(make_config(only12));
  EXPECT_EQ(to_hex(client.take_datagrams().at(0)).find("11ec"), std::string::npos);
}

// illegal_parameter for an encapsulation key that isn't one, and for
// shares of another size.
TEST_F(Hybrid, ABadShareIsAnIllegalParameter) {
  const std::pair<const char*, std::function<void(Buffer&)>> damages[] = {
      {"coefficient", [](Buffer& share) { share[0] = share[1] = std::byte{0xff}; }},
      {"all-zero X25519",
       [](Buffer& share) { std::fill(share.end() - 32, share.end(), std::byte{0}); }},
      {"short", [](Buffer& share) { share.pop_back(); }},
      {"long", [](Buffer& share) { share.push_back(std::byte{0}); }},
      {"empty", [](Buffer& share) { share.resize(1); }}};
  for (const auto& [name, damage] : damages) {
    SCOPED_TRACE(name);
    Buffer share = copy_of(
        must(must(dtls::crypto::EphemeralKey::generate(environment().library(), kHybrid)).share())
            .bytes());
    damage(share);
    Buffer list;
    dtls::wire::Writer writer(list);
    {
      const auto vector = writer.vector16();
      dtls::message::put_share(writer, {kHybrid, share});
    }
    auto hello = hello_fields13();
    hello.extensions.set(ExtensionType::supported_groups, from_hex("0002 11ec"));
    hello.extensions.set(ExtensionType::key_share, list);
    Peer server = make_server(make_config(options13()));
    server.receive(datagram_of(hello), {});
    ASSERT_TRUE(server.error);
    EXPECT_EQ(server.error->code, Errc::bad_key_share);
    EXPECT_EQ(server.error->alert, Alert::illegal_parameter);
  }
}

// The same hello as without it.
TEST(WithoutHybrid, ItsNameIsNotSaid) {
  if (has_hybrid()) GTEST_SKIP() << "this libcrypto has X25519MLKEM768";
  Peer client = make_client(make_config(with_hybrid(options())));
  const auto datagrams = client.take_datagrams();
  ASSERT_EQ(datagrams.size(), 1U);
  const auto named = ClientHelloFields::decode(Bytes(datagrams.at(0)).subspan(kFirstBodyAt));
  Peer plain = make_client(make_config(options()));
  const auto unnamed =
      ClientHelloFields::decode(Bytes(plain.take_datagrams().at(0)).subspan(kFirstBodyAt));
  ASSERT_EQ(named.extensions.size(), unnamed.extensions.size());
  for (std::size_t i = 0; i < named.extensions.size(); ++i) {
    if (named.extensions[i].type == ExtensionType::key_share) continue;
    EXPECT_EQ(to_hex(named.extensions[i].data), to_hex(unnamed.extensions[i].data));
  }
}

TEST(WithoutHybrid, ConnectionsThatListItWork) {
  if (has_hybrid()) GTEST_SKIP() << "this libcrypto has X25519MLKEM768";
  EXPECT_EQ(agreed(with_hybrid(options()), with_hybrid(options())), NamedGroup::x25519);
  const auto other = with_groups(options(), {kHybrid, NamedGroup::secp384r1});
  EXPECT_EQ(agreed(other, options()), NamedGroup::secp384r1);
  // Nobody is asked for it.
  const auto client = with_groups(options13(), {NamedGroup::x25519, NamedGroup::secp384r1});
  EXPECT_EQ(agreed(client, other), NamedGroup::secp384r1);
}

TEST(WithoutHybrid, NothingElseIsAnError) {
  if (has_hybrid()) GTEST_SKIP() << "this libcrypto has X25519MLKEM768";
  const auto config = make_config(with_groups(options(), {kHybrid}));
  const auto refused = [](const auto& result) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::invalid_config);
    EXPECT_TRUE(std::string(result.error().detail).starts_with("groups:"))
        << result.error().detail.view();
  };
  refused(dtls::Connection::client(config, environment(), kPath, {}));
  refused(dtls::Connection::server(config, environment(), kPath, {}));
  refused(dtls::Listener::make(config, environment()));
}

}  // namespace
}  // namespace sluice::test
