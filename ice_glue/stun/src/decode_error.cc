#include <sluice/stun/decode_error.h>

namespace sluice::stun {

std::string_view to_string(DecodeError error) {
  switch (error) {
    case DecodeError::too_short:
      return "too_short";
    case DecodeError::not_stun:
      return "not_stun";
    case DecodeError::wrong_magic_cookie:
      return "wrong_magic_cookie";
    case DecodeError::wrong_length:
      return "wrong_length";
    case DecodeError::attribute_too_long:
      return "attribute_too_long";
    case DecodeError::wrong_attribute_size:
      return "wrong_attribute_size";
    case DecodeError::unknown_family:
      return "unknown_family";
    case DecodeError::wrong_error_code:
      return "wrong_error_code";
    case DecodeError::fingerprint_not_last:
      return "fingerprint_not_last";
    case DecodeError::wrong_fingerprint:
      return "wrong_fingerprint";
  }
  return "unknown";
}

}  // namespace sluice::stun
