// Turns libcrypto's error queue into an Error.
#pragma once

#include <source_location>
#include <string_view>

#include <sluice/dtls/bytes.h>
#include <sluice/dtls/error.h>

namespace sluice::dtls::crypto {

// Returns the first code of libcrypto's error queue and empties the queue.
unsigned long drain_error_queue();

// Returns an Error with the first code of the queue and empties the queue.
tl::unexpected<Error> failure(Errc code, std::optional<Alert> alert, std::string_view detail,
                              std::source_location where = std::source_location::current());

// The common case: a libcrypto function failed unexpectedly.
tl::unexpected<Error> failure(std::string_view detail,
                              std::source_location where = std::source_location::current());

// Converts bytes to the pointer type of libcrypto.
inline const unsigned char* octets(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace sluice::dtls::crypto
