// Fields of a state as CBOR. What reads them throws std::exception where a field is missing, of
// another type or out of range.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <type_traits>

#include <sluice/data_channel/channel.h>
#include <sluice/dtls/clock.h>
#include <sluice/rtp/reception.h>

#include "common/state/state_parts.h"

namespace sluice::interop {

// The value of an enum whose last one is `last`.
template <class Enum>
Enum read_enum(const Cbor& from, Enum last) {
  const auto value = from.get<std::uint64_t>();
  if (value > static_cast<std::uint64_t>(last)) throw std::out_of_range("an unknown value");
  return static_cast<Enum>(value);
}

// Of an unsigned type, or an enum of one. The library would cut what is too large.
template <class Number>
Number read_number(const Cbor& from) {
  if constexpr (std::is_enum_v<Number>) {
    return Number{read_number<std::underlying_type_t<Number>>(from)};
  } else {
    static_assert(std::is_unsigned_v<Number>);
    if (!from.is_number_unsigned()) throw std::out_of_range("no number of 0 or more");
    const auto value = from.get<std::uint64_t>();
    if (value > std::numeric_limits<Number>::max()) throw std::out_of_range("a number");
    return static_cast<Number>(value);
  }
}

// 0 to 10 years: what no session lasts.
dtls::Duration read_time(const Cbor& from);

template <class Number>
Cbor optional_cbor(const std::optional<Number>& value) {
  return value ? Cbor(static_cast<std::uint64_t>(*value)) : Cbor();
}
Cbor optional_cbor(const std::optional<dtls::Duration>& value);
template <class Number>
std::optional<Number> read_optional(const Cbor& from) {
  if (from.is_null()) return std::nullopt;
  return read_number<Number>(from);
}
std::optional<dtls::Duration> read_optional_time(const Cbor& from);

Cbor reception_cbor(const rtp::ReceptionState& reception);
rtp::ReceptionState read_reception(const Cbor& from);

using ChannelEntry = std::map<data_channel::ChannelId, data_channel::ChannelOptions>::value_type;
Cbor channel_cbor(data_channel::ChannelId id, const data_channel::ChannelOptions& options);
ChannelEntry read_channel(const Cbor& from);

}  // namespace sluice::interop
