// Relayed calls through a real TURN server, coturn.
#include <gio/gio.h>
#include <gtest/gtest.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "scenario/nice_transport/peer.h"
#include "support/main_context.h"

namespace sluice {
namespace {

using nice::IceRole;
using nice::TurnServer;
using test::Peer;

// A port of loopback that nobody has.
std::uint16_t free_port() {
  GSocketListener* listener = g_socket_listener_new();
  const auto port = g_socket_listener_add_any_inet_port(listener, nullptr, nullptr);
  g_socket_listener_close(listener);
  g_object_unref(listener);
  return port;
}

// Runs as long as this lives, on loopback, with its files in a folder of its own.
class Coturn {
 public:
  Coturn()
      : port_(free_port()),
        folder_(std::filesystem::path(testing::TempDir()) / ("coturn-" + std::to_string(port_))) {
    std::filesystem::create_directories(folder_);
    const std::array<std::string, 17> arguments = {SLUICE_TURNSERVER,
                                                   "-n",  // no configuration file
                                                   "--listening-ip=127.0.0.1",
                                                   "--listening-port=" + std::to_string(port_),
                                                   "--relay-ip=127.0.0.1",
                                                   "--allow-loopback-peers",
                                                   "--no-tls",
                                                   "--no-dtls",
                                                   "--no-cli",
                                                   "--lt-cred-mech",
                                                   "--user=sluice:relay",
                                                   "--realm=sluice",
                                                   "--userdb=" + (folder_ / "db").string(),
                                                   "--pidfile=" + (folder_ / "pid").string(),
                                                   "--log-file=" + log_file(),
                                                   "--simple-log",
                                                   "--verbose"};
    std::array<const char*, arguments.size() + 1> argv{};
    for (std::size_t i = 0; i < arguments.size(); ++i) argv[i] = arguments[i].c_str();
    constexpr auto kSilent = static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                                           G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    server_ = g_subprocess_newv(argv.data(), kSilent, nullptr);
  }
  ~Coturn() {
    if (server_ != nullptr) {
      g_subprocess_send_signal(server_, SIGTERM);
      g_subprocess_wait(server_, nullptr, nullptr);
      g_object_unref(server_);
    }
    std::filesystem::remove_all(folder_);
  }
  Coturn(const Coturn&) = delete;
  Coturn& operator=(const Coturn&) = delete;

  [[nodiscard]] bool listens() const {
    GSocketClient* client = g_socket_client_new();
    GSocketConnection* connection =
        g_socket_client_connect_to_host(client, "127.0.0.1", port_, nullptr, nullptr);
    g_object_unref(client);
    if (connection == nullptr) return false;
    g_object_unref(connection);
    return true;
  }

  // How often its log has said so.
  [[nodiscard]] std::size_t count(std::string_view words) const {
    std::ifstream file(log_file());
    const std::string log(std::istreambuf_iterator<char>(file), {});
    std::size_t found = 0;
    for (auto at = log.find(words); at != std::string::npos; at = log.find(words, at + 1)) ++found;
    return found;
  }

  [[nodiscard]] TurnServer server(TurnServer::Transport transport) const {
    return {.host = "127.0.0.1",
            .port = port_,
            .username = "sluice",
            .password = "relay",
            .transport = transport};
  }

 private:
  [[nodiscard]] std::string log_file() const { return (folder_ / "log").string(); }

  std::uint16_t port_;
  std::filesystem::path folder_;
  GSubprocess* server_ = nullptr;
};

class NiceTransportTurn : public testing::TestWithParam<TurnServer::Transport> {
 public:
  void SetUp() override {
    ASSERT_TRUE(run_until([&] { return coturn.listens(); }));
  }

  // Looks again and again, since what happens in coturn doesn't wake the context.
  bool run_until(const std::function<bool()>& done) {
    return context.run_until([&] {
      g_main_context_wakeup(context.get());
      return done();
    });
  }

  std::unique_ptr<Peer> make_peer(IceRole role) {
    auto options = test::on_loopback(role, test::make_config(environment));
    options.ice.relay_only = true;
    options.ice.turn_servers = {coturn.server(GetParam())};
    return std::make_unique<Peer>(environment, context.get(), options);
  }

  Coturn coturn;
  test::MainContext context;
  dtls::Environment environment = dtls::Environment::make().value();
};

TEST_P(NiceTransportTurn, RelaysACallAndGivesTheRelaysBack) {
  auto a = make_peer(IceRole::controlling);
  auto b = make_peer(IceRole::controlled);
  ASSERT_TRUE(a->transport->gather().has_value());
  ASSERT_TRUE(b->transport->gather().has_value());
  ASSERT_TRUE(context.run_until([&] { return a->candidates_done && b->candidates_done; }));
  // relay_only: the peer learns no other address.
  ASSERT_EQ(a->candidates.size(), 1u);
  EXPECT_NE(a->candidates.front().find(" typ relay "), std::string::npos);
  test::exchange_descriptions(*a, *b);
  ASSERT_TRUE(context.run_until([&] { return a->connected() && b->connected(); }));
  EXPECT_EQ(a->pairs.back().local.type, nice::CandidateType::relayed);
  EXPECT_EQ(a->pairs.back().remote.type, nice::CandidateType::relayed);
  EXPECT_EQ(a->transport->send_data(test::bytes_of("by relay")), nice::SendStatus::sent);
  ASSERT_TRUE(context.run_until([&] { return !b->data.empty(); }));
  EXPECT_EQ(b->data.front(), "by relay");

  // RFC 8656 section 8: a refresh with a lifetime of zero ends the allocation.
  a.reset();
  b.reset();
  EXPECT_TRUE(run_until([&] { return coturn.count("lifetime=0") == 2; }));
}

INSTANTIATE_TEST_SUITE_P(Transport, NiceTransportTurn,
                         testing::Values(TurnServer::Transport::udp, TurnServer::Transport::tcp),
                         [](const auto& transport) {
                           return transport.param == TurnServer::Transport::udp ? "udp" : "tcp";
                         });

}  // namespace
}  // namespace sluice
