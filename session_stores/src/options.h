// What the options of all stores have in common.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include <sluice/dtls/error.h>
#include <sluice/session_stores/live_session_store.h>

namespace sluice::session_stores {

// Seconds since 1970.
inline std::int64_t seconds_now(const StoreOptions& options) {
  if (options.clock != nullptr) return options.clock();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

// Names an option that cannot be used, or says why.
inline tl::unexpected<dtls::Error> invalid(std::string detail) {
  return tl::unexpected(
      dtls::Error{dtls::Errc::invalid_config, {}, 0, dtls::ErrorDetail(std::move(detail))});
}

}  // namespace sluice::session_stores
