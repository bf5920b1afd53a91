// Sessions of a fleet as they are stored: sealed, with the address that their peer had last.
#pragma once

#include <sluice/dtls/live_session.h>
#include <sluice/dtls/path.h>
#include <sluice/dtls/state_keys.h>

namespace sluice::bench {

struct AsleepSession {
  dtls::SessionState state;
  dtls::UdpPath path;
};

class FleetStates {
 public:
  explicit FleetStates(dtls::Environment& environment);

  [[nodiscard]] dtls::Buffer seal(const dtls::SessionState& state, const dtls::UdpPath& path) const;
  [[nodiscard]] AsleepSession open(dtls::Bytes sealed) const;

 private:
  dtls::Environment& environment_;
  dtls::StateKeys keys_;
};

}  // namespace sluice::bench
