// RFC 5246 section 7.3: in each state each message that the figure doesn't have there is refused.
#include <gtest/gtest.h>

#include <random>

#include "conformance/dtls12/vocabulary.h"

namespace sluice::test {
namespace {

using enum HandshakeType;

// A state by the messages that lead to it, and those that may follow.
struct State {
  const char* name;
  Role engine;
  std::vector<HandshakeType> before;
  std::vector<HandshakeType> allowed;
  bool is_encrypted_next = false;  // the message that follows
};

std::vector<State> states() {
  const Role client = Role::client;
  const Role server = Role::server;
  return {
      {"server: start", server, {}, {client_hello}},
      {"server: after ClientHello", server, {client_hello}, {certificate}},
      {"server: after Certificate", server, {client_hello, certificate}, {client_key_exchange}},
      {"server: after ClientKeyExchange",
       server,
       {client_hello, certificate, client_key_exchange},
       {certificate_verify}},
      {"server: after CertificateVerify",
       server,
       {client_hello, certificate, client_key_exchange, certificate_verify},
       {},
       true},
      // A client that negotiates ignores HelloRequest (section 7.4.1.1).
      {"client: start", client, {}, {server_hello, hello_verify_request, hello_request}},
      {"client: after ServerHello", client, {server_hello}, {certificate, hello_request}},
      {"client: after Certificate",
       client,
       {server_hello, certificate},
       {server_key_exchange, hello_request}},
      {"client: after ServerKeyExchange",
       client,
       {server_hello, certificate, server_key_exchange},
       {certificate_request, server_hello_done, hello_request}},
      {"client: after CertificateRequest",
       client,
       {server_hello, certificate, server_key_exchange, certificate_request},
       {server_hello_done, hello_request}},
      {"client: after ServerHelloDone",
       client,
       {server_hello, certificate, server_key_exchange, certificate_request, server_hello_done},
       {hello_request},
       true},
  };
}

Duel in(const State& state) {
  Script script;
  script.replies = false;
  Duel duel(state.engine, script);
  duel.collect();
  for (const HandshakeType type : state.before) {
    duel.deliver(duel.peer.message(type));
    duel.collect();
  }
  return duel;
}

// Every type that RFC 5246 and its extensions know, and some that nobody does.
std::vector<HandshakeType> every_type() {
  std::vector<HandshakeType> types;
  for (const unsigned type : {0U,  1U,  2U,  3U,  4U,  5U,  8U,  11U, 12U,  13U, 14U,
                              15U, 16U, 20U, 21U, 22U, 23U, 24U, 67U, 254U, 255U}) {
    types.push_back(static_cast<HandshakeType>(type));
  }
  return types;
}

TEST(Rfc5246_7_3, TheScriptsReachTheirStates) {
  for (const State& state : states()) {
    SCOPED_TRACE(state.name);
    Duel duel = in(state);
    EXPECT_TRUE(still_waiting(duel));
  }
}

TEST(Rfc5246_7_3, InEachStateEachWrongMessageIsUnexpected) {
  for (const State& state : states()) {
    for (const HandshakeType type : every_type()) {
      if (std::ranges::find(state.allowed, type) != state.allowed.end()) continue;
      SCOPED_TRACE(testing::Message() << state.name << ", type " << static_cast<int>(type));
      Duel duel = in(state);
      duel.deliver(ScriptedPeer::loose_message(type, {}, duel.peer.next_seq()));
      if (state.is_encrypted_next) {
        // Anyone can have sent what is in plaintext here (RFC 6347 section 4.1.2.7).
        EXPECT_EQ(discards(duel, Discard::unexpected_content), 1U);
        EXPECT_TRUE(still_waiting(duel));
      } else {
        EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
      }
    }
  }
}

// Where only ChangeCipherSpec and Finished may follow, nothing else counts under the new keys.
TEST(Rfc5246_7_3, UnderTheNewKeysOnlyFinishedIsExpected) {
  for (const Role role : kRoles) {
    for (const HandshakeType type : every_type()) {
      if (type == finished || (type == hello_request && role == Role::client)) continue;
      SCOPED_TRACE(testing::Message() << to_string(role) << static_cast<int>(type));
      Script script;
      script.edit = [&](Flight& flight) {
        if (flight.back().epoch == kPlaintextEpoch) return;
        flight.back().contents.front() = static_cast<std::byte>(type);
      };
      Duel duel(role, script);
      duel.run();
      EXPECT_TRUE(failed(duel, Errc::unexpected_message, Alert::unexpected_message));
    }
  }
}

// "This message will be ignored by the client if the client is currently negotiating a session."
TEST(Rfc5246_7_4_1_1, HelloRequestDuringTheHandshakeIsIgnored) {
  Script script;
  script.edit = [](Flight& flight) {
    for (std::size_t at = 0; at < flight.size(); at += 2) {
      if (flight[at].type != ContentType::handshake) continue;
      // With the number of the message that is due, and as section 4.2.2 of RFC 6347 numbers it.
      const auto seq = std::to_integer<unsigned>(flight[at].contents[5]);
      for (const unsigned number : {seq, 0U}) {
        flight.insert(
            flight.begin() + static_cast<std::ptrdiff_t>(at),
            ScriptedPeer::loose_message(hello_request, {}, static_cast<std::uint16_t>(number)));
        ++at;
      }
    }
  };
  Duel duel(Role::client, script);
  EXPECT_TRUE(works(duel));
}

// ---- any sequence of messages

// What a fuzzing peer sends next.
enum class Step : std::uint8_t {
  hello,
  certificate,
  server_key_exchange,
  certificate_request,
  done,
  client_key_exchange,
  verify,
  change_cipher_spec,
  finished,
  data
};

std::optional<HandshakeType> message_at(Step step) {
  switch (step) {
    case Step::certificate:
      return certificate;
    case Step::server_key_exchange:
      return server_key_exchange;
    case Step::certificate_request:
      return certificate_request;
    case Step::done:
      return server_hello_done;
    case Step::client_key_exchange:
      return client_key_exchange;
    case Step::verify:
      return certificate_verify;
    case Step::finished:
      return finished;
    default:
      return std::nullopt;
  }
}

void play(Duel& duel, Step step, HandshakeType hello, bool& encrypts) {
  const Epoch epoch = encrypts && duel.peer.has_keys() ? kFirstEncryptedEpoch12 : kPlaintextEpoch;
  if (step == Step::change_cipher_spec) {
    duel.deliver(change_cipher_spec());
    encrypts = true;
  } else if (step == Step::data) {
    duel.deliver({ContentType::application_data, epoch, copy_of(bytes_of("data"))});
  } else {
    OutgoingRecord record = duel.peer.message(step == Step::hello ? hello : *message_at(step));
    record.epoch = epoch;
    duel.deliver(record);
  }
  duel.collect();
}

std::vector<Step> steps_of(Role engine) {
  using enum Step;
  if (engine == Role::server) {
    return {hello,  Step::certificate,        Step::client_key_exchange,
            verify, Step::change_cipher_spec, Step::finished};
  }
  return {hello,
          Step::certificate,
          Step::server_key_exchange,
          Step::certificate_request,
          done,
          Step::change_cipher_spec,
          Step::finished};
}

// Changes an order that works: drops, repeats and swaps steps and puts data between them.
std::vector<Step> disorder(std::vector<Step> steps, std::mt19937_64& random) {
  const auto up_to = [&](std::size_t most) {
    return std::uniform_int_distribution<std::size_t>(0, most)(random);
  };
  const auto place = [&] { return static_cast<std::ptrdiff_t>(up_to(steps.size() - 1)); };
  for (std::size_t changes = 1 + up_to(2); changes > 0 && steps.size() > 1; --changes) {
    switch (up_to(4)) {
      case 0:
        steps.erase(steps.begin() + place());
        break;
      case 1:
        steps.insert(steps.begin() + place(), steps[up_to(steps.size() - 1)]);
        break;
      case 2:
        std::swap(steps[up_to(steps.size() - 1)], steps[up_to(steps.size() - 1)]);
        break;
      case 3:
        steps.insert(steps.begin() + place(), Step::data);
        break;
      default:
        std::ranges::shuffle(steps, random);
        break;
    }
  }
  return steps;
}

// Whether the messages are those of a handshake: ChangeCipherSpec may come early, data is ignored
// or waits, and a server may leave CertificateRequest out.
bool is_handshake(const std::vector<Step>& steps, Role engine) {
  std::vector<Step> messages;
  bool changed = false;
  for (const Step step : steps) {
    if (step == Step::change_cipher_spec) {
      changed = true;
    } else if (step != Step::data) {
      messages.push_back(step);
      if (step == Step::finished) break;
    }
  }
  auto expected = steps_of(engine);
  std::erase(expected, Step::change_cipher_spec);
  if (messages == expected) return changed;
  std::erase(expected, Step::certificate_request);
  return engine == Role::client && changed && messages == expected;
}

// The peer computes its keys, its signatures and its Finished as well as anybody could who leaves
// out, repeats or moves what he likes: only a real handshake may connect.
TEST(Rfc5246_7_3, OnlyTheMessagesOfAHandshakeConnect) {
  constexpr std::uint64_t kSequences = 600;
  int connected = 0;
  for (std::uint64_t seed = 0; seed < kSequences; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const Role engine = kRoles[seed % 2];
    const auto steps = disorder(steps_of(engine), random);
    Script script;
    script.replies = false;
    Duel duel(engine, script);
    duel.collect();
    bool encrypts = false;
    for (const Step step : steps) {
      play(duel, step, engine == Role::server ? client_hello : server_hello, encrypts);
      if (duel.engine.error) break;
    }
    if (duel.engine.connected) {
      ++connected;
      EXPECT_TRUE(is_handshake(steps, engine));
    } else {
      EXPECT_TRUE(duel.engine.data.empty());
      EXPECT_FALSE(duel.engine.connection().connected());
    }
  }
  EXPECT_GT(connected, 10) << "some of the sequences must be harmless";
}

}  // namespace
}  // namespace sluice::test
