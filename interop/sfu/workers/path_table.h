// Which worker the datagrams of an address pair are for.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>

#include <sluice/dtls/clock.h>
#include <sluice/dtls/path.h>
#include <sluice/ice_lite/ice_lite_server.h>

namespace sluice::interop::sfu {

// A path is certain once its worker has a session there: it has had a valid check. Before that a
// check with the ufrag of a session is a guess, so that what follows the check at once finds its
// way; guesses displace nothing, and only kMaxGuesses of them are kept. A path is forgotten when
// its session ends, or when no check for a session of its worker has come for so long that consent
// is over (RFC 7675).
//
// A path goes over to another worker as in ice_lite::ServerOptions::tuple_hold, so that who has a
// session of his own can't cut off others by forging their addresses: not while checks for its
// present one come. All of it is O(1).
class PathTable {
 public:
  static constexpr std::size_t kMaxGuesses = 1024;
  // Checks come every 6 s at the latest, of which one may be lost.
  static constexpr dtls::Duration kHold = std::chrono::seconds{13};
  // The worker forgets it first.
  static constexpr dtls::Duration kLifetime = ice_lite::kConsentLifetime + std::chrono::seconds{5};

  // `max_paths`: that are certain; a further one takes the place of the one whose last check is the
  // longest ago.
  explicit PathTable(std::size_t max_paths);

  [[nodiscard]] std::optional<std::size_t> worker_of(const dtls::UdpPath& path) const;
  // Whether the worker has a session there.
  [[nodiscard]] bool is_certain(const dtls::UdpPath& path, std::size_t worker) const;
  // A check with the ufrag of one of its sessions has come.
  void note_check(const dtls::UdpPath& path, std::size_t worker, dtls::Instant now);
  // The worker has a session there. False: another one still has.
  bool claim(const dtls::UdpPath& path, std::size_t worker, dtls::Instant now);
  // Its session there has ended.
  void forget(const dtls::UdpPath& path, std::size_t worker);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  using Order = std::list<dtls::UdpPath>;  // the longest unchecked first
  struct Entry {
    std::size_t worker = 0;
    bool is_certain = false;
    dtls::Instant checked{};
    Order::iterator place{};
  };
  // Multilinear hashing with a random key: for any two paths the chance of a collision is that of
  // random numbers (Lemire and Kaser, "Strongly universal string hashing is fast"). Peers choose
  // their addresses.
  class Hash {
   public:
    Hash();
    std::size_t operator()(const dtls::UdpPath& path) const;

   private:
    std::array<std::uint64_t, 12> key_ = {};
  };
  using Entries = std::unordered_map<dtls::UdpPath, Entry, Hash>;

  Order& order_of(const Entry& entry) { return entry.is_certain ? certain_ : guesses_; }
  void expire(dtls::Instant now);
  void erase(Entries::iterator entry);
  void add(const dtls::UdpPath& path, std::size_t worker, bool is_certain, dtls::Instant now);

  std::size_t max_paths_;
  Entries entries_;
  Order certain_;
  Order guesses_;
};

}  // namespace sluice::interop::sfu
