#include "demo/call_transport.h"

namespace sluice::interop::demo {

std::string describe_failure(const std::optional<dtls::Error>& error) {
  if (!error) return "DTLS failed";
  std::string text = "DTLS failed: " + std::string{dtls::to_string(error->code)};
  if (error->alert) text += " (" + std::string{dtls::to_string(*error->alert)} + ")";
  return text;
}

}  // namespace sluice::interop::demo
