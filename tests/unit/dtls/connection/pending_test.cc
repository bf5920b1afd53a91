// Pending tells the truth after every input: an idle poll costs nothing only if that holds.
#include <deque>
#include <random>

#include "support/connections.h"

namespace sluice::dtls {
namespace {

using test::bytes_of;
using test::to_hex;

class PendingFlags : public test::ByVersion {};
INSTANTIATE_TEST_SUITE_P(Versions, PendingFlags, test::both_versions(), test::name_of_version);

// A connection whose every input is checked against what can then be polled.
class Checked {
 public:
  explicit Checked(Connection connection) : connection_(std::move(connection)) {}

  template <class Input>
  void input(Input&& run) {
    const auto timeout = connection_.next_timeout();
    const Result<Pending> outcome = run(connection_);
    drain(outcome, timeout);
  }

  void receive(Buffer datagram, Instant now) {
    input([&](Connection& c) { return c.handle_datagram(datagram, test::kPath, now); });
    answer(now);
  }
  void time_out(Instant now) {
    input([&](Connection& c) { return c.handle_timeout(now); });
  }

  [[nodiscard]] Connection& connection() { return connection_; }

  std::vector<std::string> data;
  std::deque<Buffer> sent;
  bool connected = false;
  bool closed = false;
  std::optional<Error> error;

 private:
  void drain(const Result<Pending>& outcome, std::optional<Instant> timeout_before) {
    const bool has_transmit = take_datagrams();
    const bool has_data = take_data();
    const bool has_event = take_events();
    if (!outcome) {
      error = outcome.error();
      EXPECT_FALSE(has_data || has_event) << "nothing of a failed input is for the caller";
      EXPECT_FALSE(connection_.next_timeout());
      return;
    }
    EXPECT_EQ(outcome->data, has_data);
    EXPECT_EQ(outcome->event, has_event);
    EXPECT_EQ(outcome->transmit, has_transmit);
    if (!outcome->timer) {
      EXPECT_EQ(connection_.next_timeout(), timeout_before);
    }
  }

  bool take_data() {
    bool any = false;
    while (const auto bytes = connection_.poll_data()) {
      data.push_back(to_hex(*bytes));
      any = true;
    }
    return any;
  }
  bool take_events() {
    bool any = false;
    while (const auto event = connection_.poll_event()) {
      any = true;
      if (const auto* asked = std::get_if<PeerCertificateReceived>(&*event)) {
        question_ = asked->question.id();
      } else if (std::holds_alternative<Connected>(*event)) {
        connected = true;
      } else {
        closed = true;
      }
    }
    return any;
  }
  bool take_datagrams() {
    bool any = false;
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): written before it is read.
    std::array<std::byte, kMaxDatagram> out;
    while (const auto transmit = connection_.poll_transmit(out)) {
      sent.push_back(test::copy_of(Bytes(out).first(transmit->size)));
      any = true;
    }
    return any;
  }
  void answer(Instant now) {
    if (!question_) return;
    const QuestionId question = *std::exchange(question_, std::nullopt);
    input([&](Connection& c) { return c.answer(question, AcceptPeer{}, now); });
  }

  Connection connection_;
  std::optional<QuestionId> question_;
};

// Takes what a fresh client has to say, which no input announces.
Checked make_checked(Role role, const ConfigOptions& options) {
  const auto config = test::make_config(options);
  auto connection = role == Role::client
                        ? Connection::client(config, test::environment(), test::kPath, {})
                        : Connection::server(config, test::environment(), test::kPath, {});
  Checked checked(test::must(std::move(connection)));
  checked.time_out({});
  return checked;
}

struct Lossy {
  Lossy(std::uint64_t seed, double loss) : random(seed), probability(loss) {}
  bool lost() { return std::uniform_real_distribution<>(0, 1)(random) < probability; }
  // One datagram of those that wait, any one.
  Buffer take(std::deque<Buffer>& waiting) {
    const auto at = waiting.begin() + static_cast<std::ptrdiff_t>(random() % waiting.size());
    Buffer datagram = std::move(*at);
    waiting.erase(at);
    return datagram;
  }
  std::mt19937_64 random;
  double probability;
};

void run(Checked& client, Checked& server, Lossy& path, Instant& now) {
  for (int steps = 0; steps < 2000; ++steps) {
    if (client.connected && server.connected && client.sent.empty() && server.sent.empty()) return;
    if (client.sent.empty() && server.sent.empty()) {
      now = std::min(client.connection().next_timeout().value_or(Instant::max()),
                     server.connection().next_timeout().value_or(Instant::max()));
      client.time_out(now);
      server.time_out(now);
      continue;
    }
    const bool from_client =
        server.sent.empty() || (!client.sent.empty() && path.random() % 2 == 0);
    Buffer datagram = path.take(from_client ? client.sent : server.sent);
    if (path.lost()) continue;
    (from_client ? server : client).receive(std::move(datagram), now);
  }
}

TEST_P(PendingFlags, TellsTheTruthThroughLossyReorderedHandshakes) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Lossy path(seed, 0.2);
    Instant now{};
    Checked client = make_checked(Role::client, options());
    Checked server = make_checked(Role::server, options());
    EXPECT_EQ(client.sent.size(), 1U);
    run(client, server, path, now);
    ASSERT_TRUE(client.connected && server.connected);

    Buffer out(100);
    const auto size = client.connection().seal(bytes_of("data"), out);
    ASSERT_TRUE(size);
    out.resize(*size);
    server.receive(out, now);
    EXPECT_EQ(server.data.size(), 1U);
    server.receive(out, now);
    EXPECT_EQ(server.data.size(), 1U) << "replayed";

    client.input([&](Connection& c) { return c.close(now); });
    while (!client.sent.empty()) server.receive(path.take(client.sent), now);
    while (!server.sent.empty()) client.receive(path.take(server.sent), now);
    EXPECT_TRUE(server.closed);
    server.time_out(now);
    server.input([&](Connection& c) { return c.close(now); });
    if (testing::Test::HasFailure()) return;
  }
}

TEST_P(PendingFlags, TellsTheTruthWhenAnInputFails) {
  Checked client = make_checked(Role::client, options());
  Checked server = make_checked(Role::server, options());
  Lossy path(1, 0);
  while (!client.sent.empty()) server.receive(path.take(client.sent), {});
  server.input([](Connection& c) {
    return c.set_peer_fingerprints(
        std::array{Fingerprint{HashAlgorithm::sha256, test::counted(32)}}, {});
  });
  const Instant now{};
  for (int i = 0; i < 10 && !server.error; ++i) {
    while (!server.sent.empty()) client.receive(path.take(server.sent), now);
    while (!client.sent.empty()) server.receive(path.take(client.sent), now);
  }
  ASSERT_TRUE(server.error);
  EXPECT_EQ(server.error->code, Errc::peer_rejected);
  EXPECT_EQ(server.sent.size(), 1U) << "the alert can still leave";
}

// Only who has the keys can have sent it.
TEST_P(PendingFlags, TellsWhetherARecordOpened) {
  test::Pair pair(options());
  const auto opens = [&](Buffer datagram) {
    Connection& server = pair.server.connection();
    return test::must(server.handle_datagram(datagram, test::kPath, {})).record_opened;
  };
  EXPECT_FALSE(opens(pair.client.take_datagrams().at(0))) << "plaintext";
  pair = test::connected_pair(options());
  const Buffer record = pair.client.seal(bytes_of("data"));
  Buffer forged = record;
  forged.back() ^= std::byte{1};
  EXPECT_FALSE(opens(forged));
  EXPECT_TRUE(opens(record));
  EXPECT_FALSE(opens(record)) << "replayed";
  EXPECT_TRUE(opens(pair.client.seal({}))) << "without data";
  EXPECT_FALSE(opens(test::from_hex("16 fefd 0000 000000000009 0001 aa")));
  EXPECT_FALSE(opens({}));
}

// Without a replay window anyone can send a record again, and it is delivered again.
TEST_P(PendingFlags, ARepeatedRecordOpensNothing) {
  ConfigOptions without_window = options();
  without_window.replay_window = 0;
  test::Pair pair = test::connected_pair(without_window);
  const Buffer record = pair.client.seal(bytes_of("data"));
  Connection& server = pair.server.connection();
  for (const bool is_first : {true, false, false}) {
    Buffer datagram = record;
    const auto pending = test::must(server.handle_datagram(datagram, test::kPath, {}));
    EXPECT_TRUE(pending.data);
    EXPECT_EQ(pending.record_opened, is_first);
  }
}

// Without an input in between, an output taken is gone, and nothing else comes.
TEST_P(PendingFlags, AnOutputIsGivenOnce) {
  test::Pair pair = test::connected_pair(options());
  Connection& server = pair.server.connection();
  Buffer datagram = pair.client.seal(bytes_of("data"));
  const auto pending = server.handle_datagram(datagram, test::kPath, {});
  ASSERT_TRUE(pending);
  EXPECT_TRUE(pending->data);
  EXPECT_FALSE(pending->event || pending->transmit);
  EXPECT_TRUE(server.poll_data());
  EXPECT_FALSE(server.poll_data());
}

}  // namespace
}  // namespace sluice::dtls
