// The sessions of an IceLiteServer, found by their handles and by the ufrags of their credentials.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <sluice/dtls/clock.h>
#include <sluice/ice_lite/event.h>
#include <sluice/ice_lite/ice_lite_server.h>
#include <sluice/transport/media_transport.h>

#include "credentials.h"
#include "crypto/keyed_hash.h"
#include "dtls_in_stun.h"
#include "recent_checks.h"
#include "table/slot_index.h"
#include "table/slot_pool.h"
#include "tuple_table.h"

namespace sluice::ice_lite {

// The outputs that a session may have something for.
enum class Output : std::uint8_t { transmit, data, media, event };
inline constexpr std::size_t kOutputs = 4;

// What is seldom to be told, and is not with the MediaTransport.
struct Untold {
  std::optional<Expired> expired;
  std::optional<PathTaken> taken;
  std::optional<Ended> ended;
};

// The path in use, which the session has lost while no other was nominated: it has ended
// (IceLiteServer::path_closed()), or another session has it.
struct LostPath {
  dtls::UdpPath path;
  dtls::Instant checked;  // for the last time
};

// When the consent that a check at this time has given ends (RFC 7675 section 5.1).
inline dtls::Instant consent_end(dtls::Instant checked) {
  return dtls::saturating_add(checked, kConsentLifetime);
}

struct Session {
  // What each packet needs stands together.
  std::uint32_t generation = 0;  // of the slot: half of the handle
  bool has_ended = false;
  // Empty: the slot is free.
  std::optional<transport::MediaTransport> transport;
  std::optional<LocalCredentials> credentials;
  // Of restart_ice(), until a tuple is nominated with them.
  std::unique_ptr<LocalCredentials> newer;
  std::unique_ptr<Untold> untold;
  std::unique_ptr<DtlsInStun> in_stun;  // until the handshake is complete
  // Until another tuple is selected, or consent has ended.
  std::unique_ptr<LostPath> lost;

  SlotNumber first_tuple = kNoSlot;
  std::uint32_t tuples = 0;
  SlotNumber selected = kNoSlot;
  // When tuples may have expired; empty while there are none.
  std::optional<dtls::Instant> tuples_due;
  RecentChecks recent;
  // Until then a copy of the newest check may have overtaken it from elsewhere.
  dtls::Instant overtaken_until = dtls::Instant::min();
  std::optional<dtls::Duration> rtt;
  IceGeneration newest_generation = 1;
  // Tuples with checks of earlier credentials are not for the transport: it has begun a new
  // association since.
  IceGeneration least_generation = 1;
  bool is_rtt_settled = false;
  bool is_selection_untold = false;
  bool has_ended_restart = false;  // the selection that is to be told has
  std::array<bool, kOutputs> is_queued = {};

  // The newest, those that a tuple is to be nominated with.
  [[nodiscard]] LocalCredentials& newest() { return newer ? *newer : *credentials; }
  [[nodiscard]] const LocalCredentials& newest() const { return newer ? *newer : *credentials; }
  // Null: not those of this session.
  [[nodiscard]] LocalCredentials* credentials_of(std::string_view ufrag) {
    if (newer && newer->ufrag == ufrag) return newer.get();
    return credentials && credentials->ufrag == ufrag ? &*credentials : nullptr;
  }
  // Tuples may have expired when the consent of this check ends.
  void expect_consent_end(dtls::Instant checked) {
    const dtls::Instant due = consent_end(checked);
    tuples_due = std::min(tuples_due.value_or(due), due);
  }
  void lose(const dtls::UdpPath& path, dtls::Instant checked) {
    lost = std::make_unique<LostPath>(LostPath{path, checked});
    expect_consent_end(checked);
  }
  Untold& to_tell() {
    if (!untold) untold = std::make_unique<Untold>();
    return *untold;
  }
};

// Sessions do not move in memory.
class SessionTable {
 public:
  [[nodiscard]] Session& operator[](SlotNumber number) { return slots_[number]; }
  [[nodiscard]] const Session& operator[](SlotNumber number) const { return slots_[number]; }

  // A slot for a session with these credentials.
  SlotNumber add(const dtls::crypto::KeyedHash& keyed, transport::MediaTransport transport,
                 LocalCredentials credentials);
  // Neither its handle nor its ufrags find the session any more.
  void end(const dtls::crypto::KeyedHash& keyed, SlotNumber number);
  // After end().
  void release(SlotNumber number) { slots_.release(number); }
  void reserve(std::size_t count);

  [[nodiscard]] SessionHandle handle_of(SlotNumber number) const {
    return slots_.handle_of<SessionHandle>(number);
  }
  // kNoSlot for a handle that is not valid, or not any more.
  [[nodiscard]] SlotNumber find(SessionHandle handle) const;
  [[nodiscard]] SlotNumber find_ufrag(const dtls::crypto::KeyedHash& keyed,
                                      std::string_view ufrag) const;

  // Adds `newer` in place of those that were not nominated yet.
  void begin_restart(const dtls::crypto::KeyedHash& keyed, SlotNumber number,
                     LocalCredentials newer);
  // The newer credentials take the place of the others.
  void end_restart(const dtls::crypto::KeyedHash& keyed, SlotNumber number);

  // Sessions that have not ended.
  [[nodiscard]] std::size_t size() const { return size_; }
  // Sessions that have not been released.
  [[nodiscard]] std::size_t occupied() const { return slots_.taken(); }
  // Above the highest number that has ever been in use.
  [[nodiscard]] SlotNumber limit() const { return slots_.end(); }

 private:
  void forget(const dtls::crypto::KeyedHash& keyed, SlotNumber number,
              const LocalCredentials& credentials);

  dtls::table::SlotPool<Session, 64> slots_;
  std::size_t size_ = 0;
  dtls::table::SlotIndex ufrags_;
};

}  // namespace sluice::ice_lite
