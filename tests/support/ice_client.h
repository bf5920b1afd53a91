// A full ICE agent with one component, for one session of an IceLiteServer: it controls, and checks
// each of its candidates against the server's address. With it, a MediaTransport as DTLS client.
#pragma once

#include <sluice/ice_lite/session.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/message.h>
#include <sluice/stun/writer.h>
#include <sluice/transport/media_transport.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "support/rtp_packets.h"

namespace sluice::test {

struct IceClientOptions {
  ice_lite::Credentials local = {.ufrag = "client", .pwd = "the-password-of-the-client"};
  ice_lite::Credentials remote = {};
  // As the server sees them; the first one has the highest priority.
  std::vector<dtls::UdpEndpoint> candidates = {};
  // RFC 5245 section 8.1.1.2: each check nominates. Otherwise the first pair that works is
  // nominated by another check (RFC 8445 section 8.1.1).
  bool is_aggressive = false;
  // The handshake rides in checks, as libwebrtc does it (SPED).
  bool dtls_in_stun = false;
  dtls::Duration retransmission = std::chrono::milliseconds{250};
  dtls::Duration consent_interval = std::chrono::seconds{5};
  std::uint64_t seed = 1;
};

class IceClient {
 public:
  struct Outgoing {
    std::size_t candidate;
    dtls::Buffer bytes;
  };

  IceClient(IceClientOptions options, dtls::Environment& environment,
            transport::MediaTransport transport);

  // Checks begin. The MediaTransport must have its role and fingerprints.
  void begin(dtls::Instant now);
  // An ICE restart: everything but the association begins anew.
  void restart(const ice_lite::Credentials& local, const ice_lite::Credentials& remote,
               dtls::Instant now);
  // The agent has moved to a candidate that it nominates, such as when a network is lost.
  void nominate(std::size_t candidate, dtls::Instant now);

  void handle_datagram(dtls::MutableBytes datagram, std::size_t candidate, dtls::Instant now);
  void handle_timeout(dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;
  // What is to be sent.
  std::vector<Outgoing> take();

  // Protected and put among what take() returns; false where the transport refuses.
  bool send_rtp(const Packet& plain);
  bool send_data(const Packet& plain);

  [[nodiscard]] const std::vector<dtls::UdpEndpoint>& candidates() const {
    return options_.candidates;
  }
  // The candidate in use.
  [[nodiscard]] std::optional<std::size_t> selected() const { return selected_; }

  transport::MediaTransport transport;
  bool stops_consent = false;
  std::size_t carried = 0;                  // DTLS datagrams that responses have brought
  std::size_t largest_carried = 0;          // in bytes
  std::optional<dtls::UdpEndpoint> mapped;  // the last XOR-MAPPED-ADDRESS
  std::vector<std::uint16_t> errors;        // of error responses
  std::vector<Packet> rtp;
  std::vector<Packet> rtcp;
  std::vector<Packet> data;
  std::optional<dtls::Instant> connected_at;
  bool closed = false;
  std::optional<dtls::Error> error;

 private:
  struct Pair {
    stun::TransactionId transaction{};
    bool is_waiting = false;  // for a response
    bool nominates = false;   // the check under way does
    bool is_valid = false;
    std::optional<dtls::Instant> due;
    dtls::Instant sent{};
  };

  void send_check(std::size_t candidate, bool is_new, dtls::Instant now);
  void on_response(const stun::Message& response, std::size_t candidate, dtls::Instant now);
  void select(std::size_t candidate, dtls::Duration rtt, dtls::Instant now);
  // Puts what is to be carried into a check, and takes what a response carries.
  void write_dtls(stun::Writer& writer);
  void take_dtls(const stun::Message& response, std::size_t candidate, dtls::Instant now);
  void note_dtls(dtls::Bytes datagram);
  void settle(const dtls::Result<transport::TransportPending>& outcome, dtls::Instant now);

  IceClientOptions options_;
  dtls::Environment* environment_;
  std::optional<stun::IntegrityKey> key_;
  std::vector<Pair> pairs_;
  std::vector<Outgoing> out_;
  std::optional<std::size_t> selected_;
  std::mt19937_64 random_;
  // With dtls_in_stun: the datagrams of the last flight that are not acknowledged, and the hashes
  // of the last four that have come.
  std::vector<dtls::Buffer> pending_;
  std::size_t next_pending_ = 0;
  std::vector<std::uint32_t> received_;
};

}  // namespace sluice::test
