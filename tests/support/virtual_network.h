// Two connections on a lossy path in virtual time: time jumps from one thing that happens to the
// next.
#pragma once

#include <sluice/dtls/connection.h>
#include <sluice/dtls/resumption_store.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

namespace sluice::test {

// One end: a connection with all that it has put out.
class Peer {
 public:
  explicit Peer(dtls::Connection connection) : connection_(std::move(connection)) {}

  [[nodiscard]] dtls::Connection& connection() { return connection_; }
  [[nodiscard]] const dtls::Connection& connection() const { return connection_; }

  // Hands an input's outcome on: takes data and events, answers questions.
  void settle(const dtls::Result<dtls::Pending>& outcome, dtls::Instant now);
  // All datagrams that wait to be sent; then takes the data and events that had waited for that.
  std::vector<dtls::Buffer> take_datagrams();
  void receive(dtls::Buffer datagram, dtls::Instant now);
  // Sends one record of application data; the datagram.
  dtls::Buffer seal(dtls::Bytes data);

  // Whether to accept the peer's certificate when asked; else the question waits in `question`.
  bool accepts_peer = true;
  // A server's: keeps sessions and answers what is asked about them; else the test does.
  std::shared_ptr<dtls::ResumptionStore> store;

  std::optional<dtls::QuestionOf<dtls::PeerAnswer>> question;
  // These wait for the test's answer.
  std::optional<dtls::PskRequested> psk_request;
  std::optional<dtls::SessionRequested> session_request;
  std::optional<dtls::IdentityRequested> identity_request;
  std::optional<dtls::SignatureRequested> signature_request;
  std::optional<dtls::ConnectionToVerify> to_verify;
  std::optional<dtls::ConfigRequested> config_request;
  std::vector<dtls::ResumableSession> sessions;  // that have come
  std::vector<dtls::SessionToStore> stored;      // what a server is to keep
  std::vector<dtls::Buffer> peer_chain;
  std::optional<dtls::CertificateType> peer_type;  // of peer_chain
  std::optional<dtls::ConnectionInfo> connected;
  std::optional<dtls::Instant> connected_at;
  bool closed = false;
  std::optional<dtls::Error> error;
  std::vector<dtls::Buffer> data;
  std::vector<dtls::PathChanged> path_changes;

 private:
  void take_outputs(dtls::Instant now);
  void on_event(dtls::Event event, dtls::Instant now);
  void ask_store(dtls::Instant now);

  dtls::Connection connection_;
  dtls::Instant latest_{};
};

// What may happen to a datagram on its way; the same in both directions.
struct PathConditions {
  double loss = 0;                                       // probability, each direction
  double duplicate = 0;                                  // probability
  double corrupt = 0;                                    // probability that one bit flips
  dtls::Duration delay = std::chrono::milliseconds{50};  // one way
  dtls::Duration jitter{};  // added to the delay, uniformly: more than 0 reorders
};

// What becomes of a datagram: the datagrams to be delivered in its place.
using Middlebox =
    std::function<std::vector<dtls::Buffer>(dtls::Role sender, dtls::Buffer datagram)>;

// Moves datagrams between a client and a server. All chance comes from the seed.
class VirtualNetwork {
 public:
  VirtualNetwork(PathConditions conditions, std::uint64_t seed, dtls::Instant start = {})
      : conditions_(conditions), random_(seed), now_(start) {}

  // Changes each datagram that arrives.
  void set_middlebox(Middlebox middlebox) { middlebox_ = std::move(middlebox); }

  // Runs until both are connected, one has failed, nothing is left to happen, or `limit` has
  // passed.
  void run_handshake(Peer& client, Peer& server, dtls::Duration limit);
  // Runs until nothing is left to happen at or before `until`.
  void run_until(Peer& client, Peer& server, dtls::Instant until);
  // Puts what a peer has to send on its way.
  void send_pending(Peer& from, bool from_client);
  void send(const dtls::Buffer& datagram, bool from_client);

  [[nodiscard]] dtls::Instant now() const { return now_; }
  // Datagrams that were sent, lost ones included.
  [[nodiscard]] std::size_t datagrams_sent() const { return datagrams_sent_; }

 private:
  struct InFlight {
    bool from_client;
    dtls::Buffer datagram;
  };

  bool step(Peer& client, Peer& server, dtls::Instant limit);
  bool happens(double probability);

  PathConditions conditions_;
  std::mt19937_64 random_;
  dtls::Instant now_;
  std::multimap<dtls::Instant, InFlight> in_flight_;
  std::size_t datagrams_sent_ = 0;
  Middlebox middlebox_;
};

}  // namespace sluice::test
