// The Listener's face: options, what it drops and counts, the datagrams of a hello in pieces.
#include <sluice/dtls/listener.h>

#include <gtest/gtest.h>

#include <future>

#include "support/bytes.h"
#include "support/hello_fields.h"
#include "support/listening_server.h"

namespace sluice::dtls {
namespace {

using namespace std::chrono_literals;
using test::datagram_of;
using test::datagrams_of;
using test::from_hex;
using test::hello_fields13;
using test::make_config;
using test::must;

const Buffer kAddress = from_hex("7f000001 1234");

Listener make_listener(const ListenerOptions& options = {}) {
  return must(Listener::make(make_config(), test::environment(), options));
}

std::string_view refused(const ListenerOptions& options) {
  const auto made = Listener::make(make_config(), test::environment(), options);
  if (made) return "taken";
  EXPECT_EQ(made.error().code, Errc::invalid_config);
  return made.error().detail;
}

TEST(ListenerOptions, AreChecked) {
  EXPECT_TRUE(refused({.cookie_lifetime = 999ms}).starts_with("cookie_lifetime:"));
  EXPECT_TRUE(refused({.cookie_lifetime = 25h}).starts_with("cookie_lifetime:"));
  EXPECT_TRUE(refused({.max_client_hello = 511}).starts_with("max_client_hello:"));
  EXPECT_TRUE(refused({.max_client_hello = 65536}).starts_with("max_client_hello:"));
  EXPECT_TRUE(refused({.unfinished_hellos = 65537}).starts_with("unfinished_hellos:"));
  EXPECT_EQ(refused({.cookie_lifetime = 1s, .max_client_hello = 512, .unfinished_hellos = 0}),
            "taken");
  EXPECT_EQ(refused({.cookie_lifetime = 24h, .max_client_hello = 65535, .unfinished_hellos = 1}),
            "taken");
}

// Before any client comes, with the words that name what is missing.
TEST(Listener, IsNotMadeOfAConfigThatCannotServe) {
  const auto refusal = [](const ConfigOptions& options) {
    const auto made = Listener::make(make_config(options), test::environment());
    if (made) return std::string("taken");
    EXPECT_EQ(made.error().code, Errc::invalid_config);
    return to_string(made.error());
  };
  EXPECT_EQ(refusal({}), "invalid configuration: identities: a server needs one, or PSKs");
  ConfigOptions tickets = test::options();
  tickets.resumption = Resumption::tickets;
  EXPECT_EQ(refusal(tickets),
            "invalid configuration: ticket_keys: a server needs them for Resumption::tickets");
  const auto key = must(PreSharedKey::make(test::bytes_of("sensor"), test::counted(16)));
  EXPECT_EQ(refusal({.pre_shared_keys = {key}}), "taken");
  EXPECT_EQ(refusal({.ask_for_psk = true}), "taken");
  EXPECT_EQ(refusal({.ask_for_config = true}), "taken") << "the chosen Config is checked";
}

// Why it dropped a datagram, or nothing.
std::optional<ListenerDiscard> dropped(Listener& listener, Bytes datagram,
                                       const Buffer& address = kAddress) {
  const auto outcome = listener.handle_datagram(datagram, address, {});
  const auto* discarded = std::get_if<Listener::Discarded>(&outcome);
  return discarded != nullptr ? std::optional(discarded->reason) : std::nullopt;
}

TEST(Listener, DropsWhatIsNoClientHello) {
  Listener listener = make_listener();
  const auto reason = ListenerDiscard::no_client_hello;
  EXPECT_EQ(dropped(listener, {}), reason);
  // An alert, a ServerHello, an encrypted record of either version.
  EXPECT_EQ(dropped(listener, from_hex("15 fefd 0000 000000000000 0002 0100")), reason);
  EXPECT_EQ(dropped(listener, from_hex("16 fefd 0000 000000000000 000d"
                                       "02 000001 0000 000000 000001 00")),
            reason);
  EXPECT_EQ(dropped(listener, from_hex("16 fefd 0001 000000000000 0002 0000")), reason);
  EXPECT_EQ(dropped(listener, from_hex("2f 0000 0004 01020304")), reason);
  // Of another protocol altogether.
  EXPECT_EQ(dropped(listener, from_hex("16 0301 0000 000000000000 0002 0000")), reason);
  EXPECT_EQ(listener.statistics().count(reason), 6U);
}

TEST(Listener, DropsWhatIsMalformed) {
  Listener listener = make_listener();
  const Buffer hello = datagram_of(hello_fields13());
  for (std::size_t size = 1; size < hello.size(); ++size) {
    ASSERT_EQ(dropped(listener, test::copy_of(Bytes(hello).first(size))),
              ListenerDiscard::malformed)
        << size;
  }
  // A whole message whose body is none.
  EXPECT_EQ(dropped(listener, from_hex("16 fefd 0000 000000000000 000d"
                                       "01 000001 0000 000000 000001 00")),
            ListenerDiscard::malformed);
  // A fragment that lies outside its message, and one that says nothing.
  EXPECT_EQ(dropped(listener, from_hex("16 fefd 0000 000000000000 000d"
                                       "01 000001 0000 000001 000001 00")),
            ListenerDiscard::malformed);
  EXPECT_EQ(dropped(listener, from_hex("16 fefd 0000 000000000000 000c"
                                       "01 000001 0000 000000 000000")),
            ListenerDiscard::malformed);
  // No client has said hello so often.
  EXPECT_EQ(dropped(listener, datagram_of(hello_fields13(), {.message_seq = 16})),
            ListenerDiscard::malformed);
  EXPECT_FALSE(dropped(listener, datagram_of(hello_fields13(), {.message_seq = 15})));
}

TEST(Listener, DropsWhatIsTooLong) {
  Listener listener = make_listener({.max_client_hello = 1000});
  auto hello = hello_fields13();
  hello.extensions.set(wire::ExtensionType{21}, Buffer(1000));
  EXPECT_EQ(dropped(listener, datagram_of(hello)), ListenerDiscard::too_long);
  // By its first piece.
  EXPECT_EQ(dropped(listener, datagram_of(hello, {.max_fragment = 100})),
            ListenerDiscard::too_long);
  EXPECT_EQ(listener.statistics().unfinished, 0U);
  hello.extensions.set(wire::ExtensionType{21}, {});
  hello.extensions.set(wire::ExtensionType{21}, Buffer(1000 - hello.encode().size()));
  EXPECT_FALSE(dropped(listener, datagram_of(hello)));
}

TEST(Listener, TakesNoMoreThanAConnectionWould) {
  ConfigOptions options = test::options();
  options.max_handshake_message = 2048;
  Listener listener = must(Listener::make(make_config(options), test::environment()));
  auto hello = hello_fields13();
  hello.extensions.set(wire::ExtensionType{21}, Buffer(2048));
  EXPECT_EQ(dropped(listener, datagram_of(hello)), ListenerDiscard::too_long);
}

TEST(Listener, DropsAddressesThatItCantBind) {
  Listener listener = make_listener();
  const Buffer hello = datagram_of(hello_fields13());
  EXPECT_FALSE(dropped(listener, hello, Buffer(Listener::kMaxAddress)));
  EXPECT_EQ(dropped(listener, hello, Buffer(Listener::kMaxAddress + 1)),
            ListenerDiscard::address_too_long);
}

TEST(Listener, WithoutATableAHelloMustFitADatagram) {
  Listener listener = make_listener({.unfinished_hellos = 0});
  EXPECT_EQ(dropped(listener, datagram_of(hello_fields13(), {.max_fragment = 50})),
            ListenerDiscard::no_room);
  EXPECT_FALSE(dropped(listener, datagram_of(hello_fields13())));
}

TEST(Listener, PutsAHelloTogetherFromItsDatagrams) {
  Listener listener = make_listener();
  auto pieces = datagrams_of(hello_fields13(), {.max_fragment = 40});
  ASSERT_GT(pieces.size(), 2U);
  std::ranges::reverse(pieces);
  const Buffer last = pieces.back();
  pieces.pop_back();
  for (const Buffer& piece : pieces) {
    const auto outcome = listener.handle_datagram(piece, kAddress, {});
    ASSERT_TRUE(std::holds_alternative<Listener::Unfinished>(outcome));
  }
  const auto outcome = listener.handle_datagram(last, kAddress, {});
  ASSERT_TRUE(std::holds_alternative<Listener::Reply>(outcome));
  EXPECT_EQ(listener.statistics().unfinished, pieces.size());
  // Nothing is left of it.
  EXPECT_TRUE(
      std::holds_alternative<Listener::Unfinished>(listener.handle_datagram(last, kAddress, {})));
}

TEST(Listener, PutsAHelloTogetherFromRecordsOfOneDatagram) {
  Listener listener = make_listener();
  Buffer all;
  for (const Buffer& piece : datagrams_of(hello_fields13(), {.max_fragment = 40})) {
    all.insert(all.end(), piece.begin(), piece.end());
  }
  const auto outcome = listener.handle_datagram(all, kAddress, {});
  ASSERT_TRUE(std::holds_alternative<Listener::Reply>(outcome));
}

// Else one datagram could empty the table.
TEST(Listener, TakesThePiecesOfOneHelloFromADatagram) {
  Listener listener = make_listener({.unfinished_hellos = 2});
  const auto others = datagrams_of(hello_fields13(), {.max_fragment = 100});
  static_cast<void>(listener.handle_datagram(others[0], from_hex("01"), {}));
  Buffer all;
  for (std::uint16_t seq = 0; seq < 10; ++seq) {
    const Buffer piece = datagram_of(hello_fields13(), {.message_seq = seq, .max_fragment = 40});
    all.insert(all.end(), piece.begin(), piece.end());
  }
  EXPECT_FALSE(dropped(listener, all));
  EXPECT_EQ(listener.statistics().evictions, 0U);
  EXPECT_TRUE(std::holds_alternative<Listener::Reply>(
      listener.handle_datagram(others[1], from_hex("01"), {})));
}

TEST(Listener, PutsNoHelloTogetherFromTwo) {
  Listener listener = make_listener();
  Buffer all = datagrams_of(hello_fields13(), {.max_fragment = 40}).front();
  const auto others = datagrams_of(hello_fields13(), {.message_seq = 1, .max_fragment = 40});
  for (const Buffer& piece : std::span(others).subspan(1)) {
    all.insert(all.end(), piece.begin(), piece.end());
  }
  EXPECT_TRUE(
      std::holds_alternative<Listener::Unfinished>(listener.handle_datagram(all, kAddress, {})));
}

TEST(Listener, AReplyFitsItsBound) {
  ConfigOptions options = test::options();
  options.cipher_suites = {CipherSuite::aes_256_gcm_sha384};
  options.groups = {NamedGroup::secp384r1};
  Listener listener = must(Listener::make(make_config(options), test::environment()));
  auto hello = hello_fields13();
  hello.extensions.set(wire::ExtensionType::supported_groups, from_hex("0004 001d 0018"));
  hello.extensions.set(wire::ExtensionType{21}, Buffer(200));
  const auto outcome =
      listener.handle_datagram(datagram_of(hello), Buffer(Listener::kMaxAddress), {});
  const auto* reply = std::get_if<Listener::Reply>(&outcome);
  ASSERT_NE(reply, nullptr);
  EXPECT_LE(reply->datagram.size(), Listener::kMaxReply);
}

TEST(Listener, CountsWhatItDoes) {
  test::ListeningServer server;
  test::Peer client = test::make_client(make_config());
  test::exchange(client, kAddress, server);
  const ListenerStatistics& statistics = server.listener.statistics();
  EXPECT_EQ(statistics.datagrams_received, 2U);
  EXPECT_EQ(statistics.hello_retry_requests, 1U);
  EXPECT_EQ(statistics.admissions, 1U);
  EXPECT_GT(statistics.bytes_sent, 0U);
  EXPECT_LT(statistics.bytes_sent, statistics.bytes_received);
  EXPECT_EQ(statistics.alerts + statistics.refused_cookies + statistics.hello_verify_requests, 0U);
}

// A device with the same random each time says the same hello, which its cookie makes another.
TEST(Admission, ItsCookieTellsARepetitionFromANewAssociation) {
  for (const auto version : {ProtocolVersion::dtls12, ProtocolVersion::dtls13}) {
    Listener listener = make_listener();
    test::SeededRandom random{7};
    Environment device = must(Environment::make({.random = &random}));
    const auto config = make_config(test::options_for(version));
    // The hello with its cookie, which may come more than once.
    const auto second_hello = [&] {
      random.restart(7);
      test::Peer client(must(Connection::client(config, device, test::kPath, {})));
      const auto first = client.take_datagrams();
      const auto outcome = listener.handle_datagram(first.front(), kAddress, {});
      client.receive(test::copy_of(std::get<Listener::Reply>(outcome).datagram), {});
      return client.take_datagrams().front();
    };
    const auto number_of = [&](const Buffer& hello) {
      return std::get<Admission>(listener.handle_datagram(hello, kAddress, {})).cookie_number();
    };
    const Buffer before = second_hello();
    const Buffer after = second_hello();
    EXPECT_EQ(number_of(before), number_of(before));
    EXPECT_TRUE(is_later(number_of(after), number_of(before)));
    EXPECT_EQ(number_of(after), number_of(after));
  }
}

// On another thread, with an Environment of that, when the Listener is gone.
TEST(Admission, OwnsWhatAConnectionNeeds) {
  test::Peer client = test::make_client(make_config());
  auto listener = std::make_unique<Listener>(make_listener());
  const auto first = client.take_datagrams();
  auto outcome = listener->handle_datagram(first.front(), kAddress, {});
  client.receive(test::copy_of(std::get<Listener::Reply>(outcome).datagram), {});
  auto second = client.take_datagrams();
  outcome = listener->handle_datagram(second.front(), kAddress, {});
  auto admission = std::get<Admission>(std::move(outcome));
  listener.reset();
  second.clear();

  auto works = std::async(std::launch::async, [&] {
    Environment environment = must(Environment::make());
    test::Peer server = [&] {
      auto [connection, pending] =
          Connection::accept(std::move(admission), environment, test::kPath, Instant{});
      EXPECT_TRUE(pending && pending->transmit && pending->timer);
      EXPECT_EQ(connection.role(), Role::server);
      EXPECT_EQ(connection.path(), test::kPath);
      return test::Peer(std::move(connection));
    }();
    test::exchange(client, server);
    return client.connected.has_value() && server.connected.has_value();
  });
  EXPECT_TRUE(works.get());
}

TEST(ListenerDiscard, HasWords) {
  for (std::size_t i = 0; i < kListenerDiscardReasons; ++i) {
    EXPECT_NE(to_string(static_cast<ListenerDiscard>(i)), "unknown");
  }
  EXPECT_EQ(to_string(static_cast<ListenerDiscard>(kListenerDiscardReasons)), "unknown");
}

}  // namespace
}  // namespace sluice::dtls
