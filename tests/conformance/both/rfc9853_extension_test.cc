// The extension rrc and the messages of the return routability check (RFC 9853 sections 3 and 4).
#include <functional>
#include <set>

#include "conformance/both/rfc9853.h"

namespace sluice::test {
namespace {

constexpr std::uint16_t kRrc = 61;

// Keeps the extensions that hellos have, and may change them.
struct AlteringHook final : dtls::HelloHook {
  using Alter = std::function<void(std::vector<dtls::HelloExtension>&)>;
  explicit AlteringHook(Alter change = {}) : alter(std::move(change)) {}
  void on_sending(dtls::OutgoingHello& hello) const override {
    if (alter) alter(hello.extensions);
    sent.clear();
    for (const auto& one : hello.extensions) sent.insert(one.type);
  }
  Alter alter;
  mutable std::set<std::uint16_t> sent;
};
AlteringHook::Alter without(std::uint16_t type) {
  return [=](auto& all) { std::erase_if(all, [&](const auto& one) { return one.type == type; }); };
}
AlteringHook::Alter with(std::uint16_t type, const Buffer& data) {
  return [=](auto& all) {
    without(type)(all);
    all.push_back({type, data});
  };
}

class Rfc9853Messages : public PathTest {};

INSTANTIATE_TEST_SUITE_P(Versions, Rfc9853Messages, both_versions(), name_of_version);

// ---- section 3: the extension

TEST_P(Rfc9853Messages, BothMustHaveIt) {
  for (const bool clients : {false, true}) {
    for (const bool servers : {false, true}) {
      const auto kind = [](bool has) {
        return has ? ReturnRoutability::basic : ReturnRoutability::none;
      };
      Pair pair(with_ids(kind(clients)), with_ids(kind(servers)));
      pair.run();
      ASSERT_TRUE(works(pair));
      EXPECT_EQ(is_agreed(pair.client), clients && servers);
      EXPECT_EQ(is_agreed(pair.server), clients && servers);
    }
  }
}

// "A client offering the rrc extension MUST also offer the connection_id extension", and SHOULD
// where it offers that.
TEST_P(Rfc9853Messages, IsOfferedWithConnectionIdsOnly) {
  for (const bool has_ids : {false, true}) {
    ConfigOptions client = has_ids ? with_ids() : options();
    const auto hook = std::make_shared<AlteringHook>();
    client.hello_hook = hook;
    Pair pair(client, with_ids());
    pair.run();
    ASSERT_TRUE(works(pair));
    EXPECT_EQ(hook->sent.contains(kRrc), has_ids);
    EXPECT_EQ(is_agreed(pair.client), has_ids);
  }
}

TEST(ReturnRoutabilityOption, NeedsConnectionIds) {
  for (const auto kind : {ReturnRoutability::basic, ReturnRoutability::enhanced}) {
    ConfigOptions alone = options();
    alone.return_routability = kind;
    const auto refused = dtls::Config::make(alone);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().detail.starts_with("return_routability"));
    alone.connection_id_size = 0;
    EXPECT_TRUE(dtls::Config::make(alone));
  }
  ConfigOptions none = options();
  none.return_routability = ReturnRoutability::none;
  EXPECT_TRUE(dtls::Config::make(none));
}

// "[...] omits the connection_id extension, the server MUST NOT include the rrc extension".
TEST_P(Rfc9853Messages, IsNotAnsweredWithoutConnectionIds) {
  ConfigOptions client = options();
  client.hello_hook = std::make_shared<AlteringHook>(with(kRrc, {}));
  ConfigOptions server = with_ids();
  const auto hook = std::make_shared<AlteringHook>();
  server.hello_hook = hook;
  Pair pair(client, server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(hook->sent.contains(kRrc));
  EXPECT_FALSE(is_agreed(pair.server));
}

// A server that answers it, but has no connection IDs, has not agreed on it.
TEST_P(Rfc9853Messages, IsNotAgreedOnWithoutConnectionIds) {
  ConfigOptions server = options();
  server.hello_hook = std::make_shared<AlteringHook>(with(kRrc, {}));
  Pair pair(with_ids(), server);
  pair.run();
  ASSERT_TRUE(works(pair));
  EXPECT_FALSE(is_agreed(pair.client));
  ConfigOptions empty = with_ids();
  empty.connection_id_size = 0;
  Pair without_ids(empty);
  without_ids.run();
  ASSERT_TRUE(works(without_ids));
  EXPECT_FALSE(is_agreed(without_ids.client) || is_agreed(without_ids.server));
}

// "the extension_data field of this extension is empty".
TEST_P(Rfc9853Messages, AnExtensionWithDataIsFatal) {
  for (const Role role : kRoles) {
    ConfigOptions changing = with_ids();
    changing.hello_hook = std::make_shared<AlteringHook>(with(kRrc, from_hex("00")));
    const bool is_client = role == Role::client;
    Pair pair(is_client ? changing : with_ids(), is_client ? with_ids() : changing);
    pair.run();
    EXPECT_TRUE(
        failed(is_client ? pair.server : pair.client, Errc::decode_error, Alert::decode_error));
  }
}

TEST_P(Rfc9853Messages, AnUnsolicitedAnswerIsFatal) {
  ConfigOptions answering = with_ids(ReturnRoutability::none);
  answering.hello_hook = std::make_shared<AlteringHook>(with(kRrc, {}));
  for (const bool hook_removes : {false, true}) {
    ConfigOptions client =
        with_ids(hook_removes ? ReturnRoutability::basic : ReturnRoutability::none);
    if (hook_removes) client.hello_hook = std::make_shared<AlteringHook>(without(kRrc));
    Pair pair(client, answering);
    pair.run();
    EXPECT_TRUE(failed(pair.client, Errc::unsupported_extension, Alert::unsupported_extension));
  }
}

// "MUST NOT use RRC unless both sides have successfully exchanged rrc extensions."
TEST_P(Rfc9853Messages, WithoutItNobodyChecksAndNobodyMay) {
  PathWorld world(with_ids(ReturnRoutability::none));
  rebind(world);
  EXPECT_EQ(path(world), kPath);
  EXPECT_TRUE(world.watch(Role::server).sent.empty());
  world.join(kPath, kPath);
  world.send(Role::client, world.seal(Role::client, ContentType::return_routability_check,
                                      message(PathMessageType::path_challenge)));
  EXPECT_TRUE(failed(world.server(), Errc::unexpected_message, Alert::unexpected_message));
}

// ---- section 4: the messages

// "MUST be able to parse and gracefully ignore messages with an unknown msg_type."
TEST_P(Rfc9853Messages, UnknownTypesAreIgnored) {
  PathWorld world(enhanced());
  for (const char* const unknown : {"03", "030102030405060708", "fe00"}) {
    world.send(Role::client,
               world.seal(Role::client, ContentType::return_routability_check, from_hex(unknown)));
  }
  EXPECT_EQ(statistics(world).count(Discard::unexpected_content), 3U);
  EXPECT_TRUE(world.watch(Role::server).sent.empty());
  expect_data_to(world, kPath);
}

// Section 5.4: "MUST silently discard any invalid path_response or path_drop".
TEST_P(Rfc9853Messages, InvalidAnswersAreDiscarded) {
  PathWorld world(enhanced());
  for (const char* const invalid : {"01", "0101020304050607", "01010203040506070809", "02",
                                    "010102030405060708", "020102030405060708"}) {
    world.send(Role::client,
               world.seal(Role::client, ContentType::return_routability_check, from_hex(invalid)));
  }
  EXPECT_EQ(statistics(world).count(Discard::unexpected_content), 6U);
  expect_data_to(world, kPath);
}

TEST_P(Rfc9853Messages, AMalformedChallengeIsFatal) {
  for (const char* const malformed : {"", "00", "0001020304050607", "00010203040506070809"}) {
    PathWorld world(enhanced());
    world.send(Role::client, world.seal(Role::client, ContentType::return_routability_check,
                                        from_hex(malformed)));
    EXPECT_TRUE(failed(world.server(), Errc::decode_error, Alert::decode_error));
  }
}

// "MUST be authenticated and encrypted".
TEST_P(Rfc9853Messages, APlaintextMessageIsDiscarded) {
  PathWorld world(enhanced());
  Buffer plaintext = from_hex("1bfefd0000000000000099 0009");
  const Buffer challenge = message(PathMessageType::path_challenge);
  plaintext.insert(plaintext.end(), challenge.begin(), challenge.end());
  world.deliver(Role::server, kNew, plaintext);
  world.run();
  EXPECT_EQ(statistics(world).total_discarded(), 1U);
  EXPECT_TRUE(world.watch(Role::server).sent.empty());
  expect_data_to(world, kPath);
}

// The peer is connected already; this side has not accepted it yet.
TEST_P(Rfc9853Messages, BeforeConnectedAChallengeIsDropped) {
  Pair pair = unaccepted_pair(enhanced());
  auto& records = records_of(pair.client.connection());
  Buffer out(200);
  const auto size = records.seal(records.write_epoch(), ContentType::return_routability_check,
                                 message(PathMessageType::path_challenge), out);
  out.resize(size.value());
  pair.server.receive(out, {});
  EXPECT_EQ(discards(pair.server, Discard::unexpected_content), 1U);
  EXPECT_TRUE(pair.server.take_datagrams().empty());
  EXPECT_FALSE(pair.server.error);
}

}  // namespace
}  // namespace sluice::test
