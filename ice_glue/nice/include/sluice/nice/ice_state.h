// States, candidates and statistics of ICE.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::nice {

enum class IceState : std::uint8_t {
  gathering,  // no remote candidate has been checked yet
  checking,
  connected,  // a pair works; checks go on
  completed,  // the selected pair is final
  failed,     // no pair worked, or the peer's consent is lost: restart ICE, or give up
};

// RFC 8445 section 5.1.1.
enum class CandidateType : std::uint8_t { host, server_reflexive, peer_reflexive, relayed };

struct CandidateInfo {
  CandidateType type = CandidateType::host;
  bool tcp = false;
  std::string address;
  std::uint16_t port = 0;

  friend bool operator==(const CandidateInfo&, const CandidateInfo&) = default;
};

struct CandidatePair {
  CandidateInfo local;
  CandidateInfo remote;

  friend bool operator==(const CandidatePair&, const CandidatePair&) = default;
};

// The result of adding a remote candidate. With all but `added` the candidate was ignored.
enum class CandidateStatus : std::uint8_t {
  added,
  unusable,               // a name (mDNS), another component, TCP where TCP is off, peer-reflexive
  malformed,              // not RFC 8839's grammar
  stale,                  // its ufrag is not that of the remote description in force
  too_many,               // above kMaxRemoteCandidates
  no_remote_description,  // set_remote_offer() or set_remote_answer() comes first
};
// Per ICE generation: the number of candidate pairs that libnice checks at most.
inline constexpr std::size_t kMaxRemoteCandidates = 100;

struct IceStatistics {
  // Of the newest generation, that is since the last restart.
  IceState state = IceState::gathering;
  // Until all local candidates were known.
  std::optional<std::chrono::microseconds> gathering_time = {};
  // From the remote description to the first selected pair.
  std::optional<std::chrono::microseconds> connecting_time = {};
  // The round trip of the selected pair's check takes at most this: the time from when the check
  // could be sent. Empty above 500 ms, which says nothing: libnice doesn't report the round trip.
  std::optional<std::chrono::microseconds> rtt_bound = {};

  std::optional<CandidatePair> selected_pair = {};  // packets are sent on it
  std::uint32_t restarts = 0;
  std::uint32_t remote_candidates_ignored = 0;
  // DTLS, RTP and RTCP; without STUN.
  std::uint64_t datagrams_received = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t datagrams_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t sends_blocked = 0;  // no pair, or the socket's buffer was full
  std::uint64_t sends_refused = 0;  // no consent, or the socket's error
};

std::string_view to_string(IceState state);
std::string_view to_string(CandidateStatus status);
std::string_view to_string(CandidateType type);    // SDP's words: "host", "srflx", "prflx", "relay"
std::string to_string(const CandidatePair& pair);  // "host 10.0.0.1:5000 - srflx 192.0.2.3:6000"

}  // namespace sluice::nice
