#include "connection/shared.h"

namespace sluice::dtls::connection {

void discard(const Shared& shared, Discard reason) {
  shared.counters.count(reason);
  if (const auto* observation = shared.records.observation()) observation->discard(reason);
}

}  // namespace sluice::dtls::connection
