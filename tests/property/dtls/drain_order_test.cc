// A program may poll the outputs in any order, and may seal or close at any moment: whatever seal()
// took arrives, and a close after Connected is no failure of the peer.
#include <gtest/gtest.h>

#include <sluice/dtls/endpoint.h>
#include <sluice/transport/media_transport.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/bytes.h"
#include "support/endpoint_host.h"
#include "support/resumption.h"

namespace sluice::test {
namespace {

using dtls::Buffer;
using dtls::Bytes;
using dtls::ConfigPtr;
using dtls::ProtocolVersion;
using dtls::Role;

enum class Step : std::uint8_t { transmit, data, event, timeout };
using Order = std::array<Step, 4>;

constexpr Order kDocumented{Step::transmit, Step::data, Step::event, Step::timeout};

std::vector<Order> all_orders() {
  std::vector<Order> orders;
  Order order = kDocumented;
  do {
    orders.push_back(order);
  } while (std::ranges::next_permutation(order).found);
  return orders;
}

std::string names_in(const Order& order) {
  std::string name;
  for (const Step step : order) name += "xdet"[static_cast<std::size_t>(step)];
  return name;
}

// What a program sees of an object with inputs and outputs.
struct DrainOutcome {
  bool connected = false;
  bool closed = false;
  std::optional<dtls::Error> error;
};

// A Connection, a connection of an Endpoint, or a MediaTransport.
// The size in what was sealed or polled; empty where there was nothing.
template <class Sized>
std::optional<std::size_t> size_in(const Sized& sized) {
  return sized ? std::optional(sized->size) : std::nullopt;
}

class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  virtual void receive(Buffer& datagram, Instant now) = 0;
  virtual void handle_timeout(Instant now) = 0;
  virtual void close(Instant now) = 0;
  virtual std::optional<std::size_t> seal(Bytes data, dtls::MutableBytes out) = 0;
  virtual std::optional<std::size_t> transmit(dtls::MutableBytes out) = 0;
  virtual std::optional<std::size_t> data() = 0;
  // Polls one event and answers its question; empty: there was none. True: an input was made.
  virtual std::optional<bool> event(Instant now) = 0;
  [[nodiscard]] virtual std::optional<Instant> next_timeout() const = 0;

  DrainOutcome outcome;

 protected:
  template <class What>
  static std::optional<dtls::QuestionOf<dtls::PeerAnswer>> asks_for_acceptance(const What& event) {
    if (const auto* peer = std::get_if<dtls::PeerCertificateReceived>(&event)) {
      return peer->question;
    }
    const auto* complete = std::get_if<dtls::ConnectionToVerify>(&event);
    return complete != nullptr ? std::optional(complete->question) : std::nullopt;
  }
  template <class Pending>
  void note(const dtls::Result<Pending>& result) {
    if (!result && result.error().is_fatal) outcome.error = result.error();
  }
};

class ConnectionEngine final : public Engine {
 public:
  explicit ConnectionEngine(dtls::Connection connection) : connection_(std::move(connection)) {}

  void receive(Buffer& datagram, Instant now) override {
    note(connection_.handle_datagram(datagram, kPath, now));
  }
  void handle_timeout(Instant now) override { note(connection_.handle_timeout(now)); }
  void close(Instant now) override { note(connection_.close(now)); }
  std::optional<std::size_t> seal(Bytes data, dtls::MutableBytes out) override {
    return size_in(connection_.seal(data, out));
  }
  std::optional<std::size_t> transmit(dtls::MutableBytes out) override {
    return size_in(connection_.poll_transmit(out));
  }
  std::optional<std::size_t> data() override {
    const auto data = connection_.poll_data();
    return data ? std::optional(data->size()) : std::nullopt;
  }
  std::optional<bool> event(Instant now) override {
    const auto event = connection_.poll_event();
    if (!event) return std::nullopt;
    if (const auto question = asks_for_acceptance(*event)) {
      note(connection_.answer(*question, dtls::AcceptPeer{}, now));
      return true;
    }
    outcome.connected |= std::holds_alternative<dtls::Connected>(*event);
    outcome.closed |= std::holds_alternative<dtls::Closed>(*event);
    return false;
  }
  [[nodiscard]] std::optional<Instant> next_timeout() const override {
    return connection_.next_timeout();
  }

 private:
  dtls::Connection connection_;
};

class EndpointEngine final : public Engine {
 public:
  // With a session or without, a client connects.
  EndpointEngine(Role role, const ConfigPtr& config, const std::optional<ResumableSession>& session,
                 Instant now)
      : endpoint_(must(dtls::Endpoint::make(options(role, config), environment()))) {
    if (role == Role::client) handle_ = must(endpoint_.connect(config, kThere, now, session));
  }

  void receive(Buffer& datagram, Instant now) override {
    endpoint_.handle_datagram(datagram, kThere, now);
    if (!handle_) handle_ = endpoint_.find(kThere);
  }
  void handle_timeout(Instant now) override { endpoint_.handle_timeout(now); }
  void close(Instant now) override {
    if (handle_) note(endpoint_.close(*handle_, now));
  }
  std::optional<std::size_t> seal(Bytes data, dtls::MutableBytes out) override {
    if (!handle_) return std::nullopt;
    return size_in(endpoint_.seal_datagram(*handle_, data, out));
  }
  std::optional<std::size_t> transmit(dtls::MutableBytes out) override {
    return size_in(endpoint_.poll_transmit(out));
  }
  std::optional<std::size_t> data() override {
    const auto data = endpoint_.poll_data();
    return data ? std::optional(data->bytes.size()) : std::nullopt;
  }
  std::optional<bool> event(Instant now) override {
    const auto event = endpoint_.poll_event();
    if (!event) return std::nullopt;
    if (const auto question = asks_for_acceptance(event->what)) {
      note(endpoint_.answer(event->connection, *question, dtls::AcceptPeer{}, now));
      return true;
    }
    outcome.connected |= std::holds_alternative<dtls::Connected>(event->what);
    if (const auto* ended = std::get_if<dtls::Ended>(&event->what)) {
      outcome.closed |= ended->reason == dtls::EndReason::closed_by_peer;
      if (ended->error) outcome.error = ended->error;
      EXPECT_TRUE(ended->info) << "it was connected";
      EXPECT_GT(ended->statistics.bytes_received, 0U);
    }
    return false;
  }
  [[nodiscard]] std::optional<Instant> next_timeout() const override {
    return endpoint_.next_timeout();
  }

 private:
  static dtls::EndpointOptions options(Role role, const ConfigPtr& config) {
    dtls::EndpointOptions options;
    if (role == Role::server) options.server = config;
    return options;
  }
  static inline const dtls::UdpPath kThere = path_of(1);

  dtls::Endpoint endpoint_;
  std::optional<dtls::ConnectionHandle> handle_;
};

class MediaEngine final : public Engine {
 public:
  MediaEngine(Role role, const ConfigPtr& config, Instant now)
      : media_(must(transport::MediaTransport::make({.dtls = config}, environment()))) {
    const auto print = must(dtls::Fingerprint::of(ecdsa_identity().certificate(),
                                                  dtls::HashAlgorithm::sha256, environment()));
    note(media_.start(role, now));
    note(media_.set_peer_fingerprints({{print}}, now));
    note(media_.path_selected(kPath, std::nullopt, now));
  }

  void receive(Buffer& datagram, Instant now) override {
    note(media_.handle_datagram(datagram, kPath, now));
  }
  void handle_timeout(Instant now) override { note(media_.handle_timeout(now)); }
  void close(Instant now) override { note(media_.close(now)); }
  std::optional<std::size_t> seal(Bytes data, dtls::MutableBytes out) override {
    return size_in(media_.seal_data(data, out));
  }
  std::optional<std::size_t> transmit(dtls::MutableBytes out) override {
    return size_in(media_.poll_transmit(out));
  }
  std::optional<std::size_t> data() override {
    const auto data = media_.poll_data();
    return data ? std::optional(data->size()) : std::nullopt;
  }
  std::optional<bool> event(Instant /*now*/) override {
    const auto event = media_.poll_event();
    if (!event) return std::nullopt;
    outcome.connected |= std::holds_alternative<transport::TransportConnected>(*event);
    outcome.closed |= std::holds_alternative<transport::TransportClosed>(*event);
    return false;
  }
  [[nodiscard]] std::optional<Instant> next_timeout() const override {
    return media_.next_timeout();
  }

 private:
  transport::MediaTransport media_;
};

// What a program does when it learns that it is connected. All send whenever they can.
enum class Action : std::uint8_t { none, sends, closes, sends_and_closes };

// A program that polls in a fixed order, and asks for the time to wait where the order says so.
struct Program {
  std::unique_ptr<Engine> engine;
  Order order = kDocumented;
  Action action = Action::none;

  std::optional<Instant> wakes = {};
  std::vector<Buffer> outbox = {};
  std::size_t sent = 0;      // records that seal() took
  std::size_t received = 0;  // records of data
  bool has_acted = false;
  std::size_t turns = 0;

  void send() {
    Buffer out(kMessage + dtls::kSealOverhead);
    const Buffer message(kMessage, std::byte{7});
    const auto size = engine->seal(message, out);
    if (!size) return;
    ++sent;
    out.resize(*size);
    outbox.push_back(std::move(out));
  }

  void turn(Instant now) {
    ASSERT_LT(++turns, 1000U) << "the loop does not come to rest";
    bool again = false;
    for (const Step step : order) {
      if (action == Action::sends && !has_acted) send();
      again |= take(step, now);
    }
    if (again) turn(now);
  }

 private:
  static constexpr std::size_t kMessage = 900;
  static constexpr int kMessages = 40;

  // Whether an input was made.
  bool take(Step step, Instant now) {
    bool again = false;
    std::array<std::byte, dtls::kMaxDatagram> out{};
    switch (step) {
      case Step::transmit:
        while (const auto size = engine->transmit(out)) {
          outbox.push_back(copy_of(Bytes(out).first(*size)));
        }
        break;
      case Step::data:
        while (engine->data()) ++received;
        break;
      case Step::event:
        while (const auto made_input = engine->event(now)) {
          again |= *made_input;
          again |= act(now);
        }
        break;
      case Step::timeout:
        wakes = engine->next_timeout();
        EXPECT_TRUE(!wakes || *wakes >= now) << "earlier than the last input";
        break;
    }
    return again;
  }

  bool act(Instant now) {
    if (!engine->outcome.connected || std::exchange(has_acted, true)) return false;
    if (action == Action::sends || action == Action::sends_and_closes) {
      for (int i = 0; i < kMessages; ++i) send();
      EXPECT_GE(sent, std::size_t{kMessages});
    }
    if (action == Action::none || action == Action::sends) return false;
    engine->close(now);
    return true;
  }
};

// A path without loss. Time jumps from one arrival or timeout to the next.
void run_programs(Program& client, Program& server) {
  const Instant end{std::chrono::minutes{30}};
  std::multimap<Instant, std::pair<Program*, Buffer>> in_flight;
  const auto turn = [&](Program& program, Instant now) {
    program.turn(now);
    Program& to = &program == &client ? server : client;
    for (Buffer& datagram : program.outbox) {
      in_flight.emplace(now + std::chrono::milliseconds{5}, std::pair(&to, std::move(datagram)));
    }
    program.outbox.clear();
  };
  turn(client, {});
  for (Instant now{}; now < end;) {
    const Instant arrival = in_flight.empty() ? Instant::max() : in_flight.begin()->first;
    const Instant wakes =
        std::min(client.wakes.value_or(Instant::max()), server.wakes.value_or(Instant::max()));
    if (std::min(arrival, wakes) == Instant::max()) return;
    now = std::max(now, std::min(arrival, wakes));
    if (arrival <= wakes) {
      auto node = in_flight.extract(in_flight.begin());
      auto& [to, datagram] = node.mapped();
      to->engine->receive(datagram, now);
      turn(*to, now);
    } else {
      Program& woken = client.wakes == wakes ? client : server;
      woken.engine->handle_timeout(now);
      turn(woken, now);
    }
  }
}

enum class Kind : std::uint8_t { connection, endpoint, media };

struct Case {
  Kind kind{};
  ProtocolVersion version{};
  bool resumes = false;
  bool asks = false;  // about the connection, too
};

dtls::ConfigOptions options_of(const Case& which) {
  dtls::ConfigOptions options = options_for(which.version);
  if (which.resumes) options = with_tickets(options);
  options.ask_about_connection = which.asks;
  return options;
}

class Orders {
 public:
  explicit Orders(const Case& which) : which_(which), config_(make_config(options_of(which))) {
    if (!which.resumes) return;
    // Not with questions: first_pair() answers none about the connection.
    dtls::ConfigOptions first = options_of(which);
    first.ask_about_connection = false;
    session_ = first_pair(first).client.sessions.front();
  }

  // Whether all arrived that was sent, and nobody failed.
  testing::AssertionResult work(const Order& of_client, const Order& of_server, Action client_does,
                                Action server_does) {
    Program client{make(Role::client), of_client, client_does};
    Program server{make(Role::server), of_server, server_does};
    run_programs(client, server);
    ++count;
    const auto failure = [&](const std::string& what) {
      return testing::AssertionFailure()
             << what << "; " << to_string(which_.version) << ", kind "
             << static_cast<int>(which_.kind) << (which_.resumes ? ", resumed" : "")
             << (which_.asks ? ", asked" : "") << ", client " << names_in(of_client) << " does "
             << static_cast<int>(client_does) << ", server " << names_in(of_server) << " does "
             << static_cast<int>(server_does);
    };
    for (const Program* program : {&client, &server}) {
      const Program& other = program == &client ? server : client;
      const std::string role = program == &client ? "client" : "server";
      if (program->engine->outcome.error) {
        return failure(role + ": " + to_string(*program->engine->outcome.error));
      }
      if (!program->engine->outcome.connected) return failure(role + " is not connected");
      if (program->received != other.sent) {
        return failure(role + " received " + std::to_string(program->received) + " of " +
                       std::to_string(other.sent));
      }
      const bool is_closed =
          other.action == Action::closes || other.action == Action::sends_and_closes;
      if (program->engine->outcome.closed != is_closed) return failure(role + ": Closed");
    }
    return testing::AssertionSuccess();
  }

  static inline std::size_t count = 0;

 private:
  std::unique_ptr<Engine> make(Role role) {
    switch (which_.kind) {
      case Kind::connection:
        return std::make_unique<ConnectionEngine>(
            role == Role::client
                ? must(dtls::Connection::client(config_, environment(), kPath, {}, session_))
                : must(dtls::Connection::server(config_, environment(), kPath, {})));
      case Kind::endpoint:
        return std::make_unique<EndpointEngine>(role, config_, session_, Instant{});
      case Kind::media:
        return std::make_unique<MediaEngine>(role, config_, Instant{});
    }
    return nullptr;
  }

  Case which_;
  ConfigPtr config_;
  std::optional<ResumableSession> session_;
};

class DrainOrder : public testing::TestWithParam<Case> {
 protected:
  static void TearDownTestSuite() {
    std::cout << "orders of polling tried: " << Orders::count << '\n';
  }
};

TEST_P(DrainOrder, LosesNothingThatWasSealed) {
  Orders orders(GetParam());
  for (const Order& order : all_orders()) {
    for (const auto& [client, server] :
         {std::pair(Action::sends, Action::none), std::pair(Action::none, Action::sends),
          std::pair(Action::sends, Action::sends)}) {
      ASSERT_TRUE(orders.work(order, kDocumented, client, server));
      ASSERT_TRUE(orders.work(kDocumented, order, client, server));
    }
  }
}

TEST_P(DrainOrder, AClosedPeerHasFailedNobody) {
  Orders orders(GetParam());
  for (const Order& order : all_orders()) {
    for (const Action action : {Action::closes, Action::sends_and_closes}) {
      ASSERT_TRUE(orders.work(order, kDocumented, action, Action::none));
      ASSERT_TRUE(orders.work(order, kDocumented, Action::none, action));
      ASSERT_TRUE(orders.work(kDocumented, order, action, Action::none));
      ASSERT_TRUE(orders.work(kDocumented, order, Action::none, action));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DrainOrder,
    testing::Values(Case{Kind::connection, ProtocolVersion::dtls12},
                    Case{Kind::connection, ProtocolVersion::dtls13},
                    Case{Kind::connection, ProtocolVersion::dtls12, true},
                    Case{Kind::connection, ProtocolVersion::dtls13, true},
                    Case{Kind::connection, ProtocolVersion::dtls12, false, true},
                    Case{Kind::connection, ProtocolVersion::dtls13, true, true},
                    Case{Kind::endpoint, ProtocolVersion::dtls12},
                    Case{Kind::endpoint, ProtocolVersion::dtls13},
                    Case{Kind::endpoint, ProtocolVersion::dtls12, true},
                    Case{Kind::endpoint, ProtocolVersion::dtls13, true, true},
                    Case{Kind::media, ProtocolVersion::dtls12},
                    Case{Kind::media, ProtocolVersion::dtls13}));

}  // namespace
}  // namespace sluice::test
