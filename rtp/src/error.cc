#include <sluice/rtp/error.h>

namespace sluice::rtp {

std::string_view to_string(Malformed reason) {
  switch (reason) {
    case Malformed::too_short:
      return "too_short";
    case Malformed::wrong_version:
      return "wrong_version";
    case Malformed::bad_length:
      return "bad_length";
    case Malformed::bad_count:
      return "bad_count";
    case Malformed::bad_padding:
      return "bad_padding";
    case Malformed::bad_extension:
      return "bad_extension";
    case Malformed::bad_text:
      return "bad_text";
    case Malformed::bad_value:
      return "bad_value";
    case Malformed::no_report:
      return "no_report";
  }
  return "unknown";
}

std::string_view to_string(WriteError error) {
  switch (error) {
    case WriteError::buffer_too_small:
      return "buffer_too_small";
    case WriteError::too_many_items:
      return "too_many_items";
    case WriteError::too_long:
      return "too_long";
    case WriteError::out_of_range:
      return "out_of_range";
    case WriteError::no_report:
      return "no_report";
  }
  return "unknown";
}

}  // namespace sluice::rtp
