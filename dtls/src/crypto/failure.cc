#include "crypto/failure.h"

#include <openssl/err.h>

namespace sluice::dtls::crypto {

unsigned long drain_error_queue() {
  const unsigned long first = ERR_get_error();
  ERR_clear_error();
  return first;
}

tl::unexpected<Error> failure(Errc code, std::optional<Alert> alert, std::string_view detail,
                              std::source_location where) {
  return tl::unexpected(Error{code, alert, drain_error_queue(), detail, where});
}

tl::unexpected<Error> failure(std::string_view detail, std::source_location where) {
  return failure(Errc::libcrypto_failure, Alert::internal_error, detail, where);
}

}  // namespace sluice::dtls::crypto
