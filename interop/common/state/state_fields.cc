#include "common/state/state_fields.h"

#include <chrono>
#include <utility>

namespace sluice::interop {
namespace {

constexpr dtls::Duration kMostTime = std::chrono::hours{24 * 3650};

}  // namespace

dtls::Duration read_time(const Cbor& from) {
  const dtls::Duration time(from.get<dtls::Duration::rep>());
  if (time < dtls::Duration::zero() || time > kMostTime) throw std::out_of_range("a time");
  return time;
}

Cbor optional_cbor(const std::optional<dtls::Duration>& value) {
  return value ? Cbor(value->count()) : Cbor();
}

std::optional<dtls::Duration> read_optional_time(const Cbor& from) {
  if (from.is_null()) return std::nullopt;
  return read_time(from);
}

Cbor reception_cbor(const rtp::ReceptionState& reception) {
  return {reception.base,
          reception.highest,
          reception.in_sequence,
          optional_cbor(reception.expected_next),
          reception.received,
          reception.expected_before,
          reception.received_before,
          reception.jitter,
          optional_cbor(reception.report),
          reception.since_report.count()};
}

rtp::ReceptionState read_reception(const Cbor& from) {
  rtp::ReceptionState reception;
  reception.base = read_number<std::uint32_t>(from.at(0));
  reception.highest = read_number<std::uint32_t>(from.at(1));
  reception.in_sequence = read_number<std::uint32_t>(from.at(2));
  reception.expected_next = read_optional<rtp::SequenceNumber>(from.at(3));
  reception.received = read_number<std::uint64_t>(from.at(4));
  reception.expected_before = read_number<std::uint32_t>(from.at(5));
  reception.received_before = read_number<std::uint64_t>(from.at(6));
  reception.jitter = read_number<std::uint64_t>(from.at(7));
  reception.report = read_optional<rtp::CompactNtp>(from.at(8));
  reception.since_report = read_time(from.at(9));
  return reception;
}

Cbor channel_cbor(data_channel::ChannelId id, const data_channel::ChannelOptions& options) {
  Cbor lifetime;
  if (options.max_lifetime) lifetime = options.max_lifetime->count();
  return {static_cast<std::uint16_t>(id),
          options.label,
          options.protocol,
          options.ordered,
          lifetime,
          optional_cbor(options.max_retransmits),
          options.priority};
}

ChannelEntry read_channel(const Cbor& from) {
  data_channel::ChannelOptions options;
  options.label = from.at(1);
  options.protocol = from.at(2);
  options.ordered = from.at(3);
  if (!from.at(4).is_null()) {
    options.max_lifetime = std::chrono::milliseconds(read_number<std::uint32_t>(from.at(4)));
  }
  options.max_retransmits = read_optional<std::uint32_t>(from.at(5));
  options.priority = read_number<std::uint16_t>(from.at(6));
  return {read_number<data_channel::ChannelId>(from.at(0)), std::move(options)};
}

}  // namespace sluice::interop
