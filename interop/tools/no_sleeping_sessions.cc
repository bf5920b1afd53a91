// In place of sleeping_sessions.cc where there is no sluice::session_stores.
#include "tools/sleeping_sessions.h"

namespace sluice::interop::tools {

tl::expected<std::unique_ptr<SleepingSessions>, std::string> open_sleeping_sessions(
    const StoreAddress& /*address*/, dtls::Environment& /*environment*/,
    const dtls::StateKeys& /*keys*/) {
  return tl::unexpected<std::string>(
      "--store: this program was built without sluice::session_stores");
}

}  // namespace sluice::interop::tools
