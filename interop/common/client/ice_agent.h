// A full ICE agent (RFC 8445) as small as it can be: one component, one address of its own, and
// always controlling, since it offers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/clock.h>
#include <sluice/dtls/environment.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/session.h>
#include <sluice/stun/integrity.h>
#include <sluice/stun/message.h>
#include <sluice/stun/writer.h>

namespace sluice::interop {

struct IceOptions {
  ice_lite::Credentials local = {};
  ice_lite::Credentials remote = {};
  // Of the peer, the preferred one first. Further ones are found by its checks.
  std::vector<dtls::UdpEndpoint> candidates = {};
  // RFC 7675 section 5.1: a check in 4 to 6 seconds, and 30 seconds without an answer are the end.
  // Times between own programs may be shorter; the longest one is 3/2 of the shortest.
  dtls::Duration consent_interval = std::chrono::seconds{4};
  dtls::Duration consent_limit = std::chrono::seconds{30};
};

struct IceEvent {
  enum class What : std::uint8_t {
    validated,  // datagrams of this path may be taken
    selected,   // datagrams leave over this path
    failed,     // no candidate answers, or the consent has expired (RFC 7675): the end
  };
  What what{};
  dtls::PathId path{};
  std::optional<dtls::Duration> round_trip = {};  // of `selected`, where it is known
};

struct Outgoing {
  dtls::UdpEndpoint peer;
  dtls::Buffer bytes;
};

// No socket, thread or clock. A path is the number of a pair of addresses.
class IceAgent {
 public:
  // Pairs that are known at a time; further ones are ignored.
  static constexpr std::size_t kMaxPairs = 32;

  // Checks begin at next_timeout(). `environment` outlives it. Errors: those of the passwords.
  static dtls::Result<IceAgent> make(IceOptions options, dtls::Environment& environment,
                                     dtls::Instant now);

  // A STUN message. What is not authentic, or no answer to a check, is ignored.
  void handle_datagram(dtls::Bytes datagram, const dtls::UdpEndpoint& from, dtls::Instant now);
  void handle_timeout(dtls::Instant now);
  [[nodiscard]] std::optional<dtls::Instant> next_timeout() const;

  std::optional<IceEvent> poll_event();
  std::vector<Outgoing> take();

  // The path of what comes from there; empty: none that is known.
  [[nodiscard]] std::optional<dtls::PathId> path_of(const dtls::UdpEndpoint& peer) const;
  [[nodiscard]] const dtls::UdpEndpoint& peer(dtls::PathId path) const {
    return pairs_[static_cast<std::size_t>(path)].peer;
  }

 private:
  struct Pair {
    dtls::UdpEndpoint peer;
    stun::TransactionId transaction{};
    int tries = 0;           // of the check under way; 0: none is
    bool nominates = false;  // the check under way does
    bool is_valid = false;
    bool has_failed = false;
    dtls::Instant sent{};  // the first try
    std::optional<dtls::Instant> due = {};
  };

  IceAgent(IceOptions options, dtls::Environment& environment, stun::IntegrityKey local,
           stun::IntegrityKey remote);
  void add_pair(const dtls::UdpEndpoint& peer, dtls::Instant due);
  void begin_check(std::size_t index, bool nominates, dtls::Instant now);
  void send_check(Pair& pair, dtls::Instant now);
  void on_timeout(std::size_t index, dtls::Instant now);
  void on_failed_check(std::size_t index, dtls::Instant now);
  void on_request(const stun::Message& request, const dtls::UdpEndpoint& from, dtls::Instant now);
  void on_response(const stun::Message& response, std::size_t index, dtls::Instant now);
  void validate(std::size_t index);
  // The first pair that works, unless a check that nominates is under way.
  void nominate(dtls::Instant now);
  void select(std::size_t index, std::optional<dtls::Duration> round_trip, dtls::Instant now);
  void fail();
  void respond(const stun::Message& request, const dtls::UdpEndpoint& to, bool is_conflict);

  IceOptions options_;
  dtls::Environment* environment_;
  stun::IntegrityKey local_key_;
  stun::IntegrityKey remote_key_;
  std::vector<Pair> pairs_;
  std::optional<std::size_t> selected_ = {};
  dtls::Instant consent_until_{};
  bool has_failed_ = false;
  std::vector<IceEvent> events_;
  std::size_t next_event_ = 0;
  std::vector<Outgoing> out_;
};

}  // namespace sluice::interop
