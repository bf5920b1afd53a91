// The stores in which a fleet sleeps, and what they take.
#pragma once

#include <sluice/session_stores/live_session_store.h>

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::bench {

enum class StoreKind : std::uint8_t { lmdb, redis };

const char* name_of(StoreKind kind);
// Empty: this machine has what the store needs. Else why not.
std::string missing_for(StoreKind kind);

// A store of its own, of which nothing is left with this object, or with the process.
class FleetStore {
 public:
  FleetStore() = default;
  FleetStore(const FleetStore&) = delete;
  FleetStore& operator=(const FleetStore&) = delete;
  virtual ~FleetStore() = default;

  virtual session_stores::LiveSessionStore& sessions() = 0;
  // On the disk, or in the memory of the database.
  virtual double bytes() = 0;
  // Waits until what was written is where it belongs.
  virtual void settle() = 0;
};

std::unique_ptr<FleetStore> make_fleet_store(StoreKind kind);

}  // namespace sluice::bench
