// Why a call has done nothing, or how an association ended.
#pragma once

#include <cstdint>
#include <string_view>
#include <tl/expected.hpp>

namespace sluice::data_channel {

enum class Errc : std::uint8_t {
  invalid_options,    // a field is out of range; `detail` names it
  library_failure,    // usrsctp has refused a step, such as for lack of memory; `detail` names it
  closed,             // the association has ended
  unknown_channel,    // there is no such channel
  channel_closing,    // close() was called, or the peer closes it
  channel_in_use,     // the ID that was asked for
  no_free_channel,    // all IDs of this side's role are in use
  message_too_large,  // above the peer's limit, or above Options::send_buffer
  queue_full,         // above Options::max_buffered: try again after a BufferedAmountLow, which may
                      // be of another channel
  invalid_init,       // the peer's INIT chunk is malformed or contradicts itself (start())
  wrong_state,        // the call makes no sense now
};

std::string_view to_string(Errc code);

struct Error {
  Errc code;
  std::string_view detail = {};  // a constant text, may be empty
};

template <class T>
using Result = tl::expected<T, Error>;

}  // namespace sluice::data_channel
