// Turns libcrypto's error queue into an Error.
#pragma once

#include <source_location>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls::crypto {

// Takes the first code of libcrypto's queue and leaves the queue empty.
unsigned long drain_error_queue();

// An Error with the queue's first code; the queue is empty afterwards.
tl::unexpected<Error> failure(Errc code, std::optional<Alert> alert, std::string_view detail,
                              std::source_location where = std::source_location::current());

// The common case: libcrypto refused what it should have done.
tl::unexpected<Error> failure(std::string_view detail,
                              std::source_location where = std::source_location::current());

// libcrypto's view of our bytes.
inline const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace sluice::dtls::crypto
