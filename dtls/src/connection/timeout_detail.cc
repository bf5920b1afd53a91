#include "connection/timeout_detail.h"

#include <string>
#include <string_view>

#include "wire/handshake_names.h"

namespace sluice::dtls::connection {
namespace {

void append_discards(std::string& text, const Statistics& seen, Discard reason,
                     std::string_view words) {
  const auto count = seen.count(reason);
  if (count > 0) text.append("; ").append(std::to_string(count)).append(words);
}

}  // namespace

ErrorDetail timeout_detail(const Silence& silence) {
  const Statistics& seen = silence.statistics;
  if (seen.datagrams_received == 0) {
    return "nothing was received: look at the peer's address and port, and at firewalls";
  }
  if (const auto unreadable = seen.count(Discard::authentication_failed); unreadable > 0) {
    return ErrorDetail(std::to_string(unreadable) +
                       " records could not be decrypted: the keys may differ (another PSK for the "
                       "same identity?), or a middlebox changes datagrams");
  }
  std::string text;
  if (silence.last_message) {
    text.append("the peer is silent since its ").append(wire::name_of(*silence.last_message));
    text.append(": it has gone, or the path drops larger datagrams (ConfigOptions::mtu)");
    if (silence.lacks_encrypted) text.append(", or the keys may differ (wrong PSK?)");
  } else {
    text.append(std::to_string(seen.datagrams_received));
    text.append(
        " datagrams were received, without a whole message of the handshake: look at what "
        "listens on that port, and at the path's MTU");
  }
  append_discards(text, seen, Discard::malformed_record, " malformed records were discarded");
  append_discards(text, seen, Discard::unexpected_content, " unexpected records were discarded");
  append_discards(text, seen, Discard::reassembly_full,
                  " fragments exceeded max_handshake_message or max_reassembly");
  return ErrorDetail(std::move(text));
}

}  // namespace sluice::dtls::connection
