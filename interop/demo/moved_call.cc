#include "demo/moved_call.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <utility>

#include "demo/stored_numbers.h"

namespace sluice::interop::demo {
namespace {

using Cbor = nlohmann::json;

constexpr std::string_view kCallsMagic = "sluice calls 1\n";

// What no call has.
constexpr dtls::Duration kMostTime = std::chrono::hours{24 * 3650};

// ---- the parts, each a list of its fields

// The value of an enum whose last one is `last`.
template <class Enum>
Enum read_enum(const Cbor& from, Enum last) {
  const auto value = from.get<std::uint8_t>();
  if (value > static_cast<std::uint8_t>(last)) throw std::out_of_range("an unknown value");
  return static_cast<Enum>(value);
}
dtls::Duration read_time(const Cbor& from) {
  const dtls::Duration time(from.get<dtls::Duration::rep>());
  if (time < dtls::Duration::zero() || time > kMostTime) throw std::out_of_range("a time");
  return time;
}

template <class Number>
Cbor optional_cbor(const std::optional<Number>& value) {
  return value ? Cbor(static_cast<std::uint64_t>(*value)) : Cbor();
}
Cbor optional_cbor(const std::optional<dtls::Duration>& value) {
  return value ? Cbor(value->count()) : Cbor();
}
template <class Number, class Raw>
void read_optional(const Cbor& from, std::optional<Number>& value) {
  if (!from.is_null()) value = static_cast<Number>(from.get<Raw>());
}

Cbor section_cbor(const OfferedSection& section) {
  return {static_cast<unsigned>(section.kind),
          section.mid,
          static_cast<unsigned>(section.direction),
          section.rejected,
          section.codec.payload_type,
          section.codec.clock_rate,
          optional_cbor(section.mid_extension),
          section.sctp_port,
          section.max_message_size};
}
OfferedSection read_moved_section(const Cbor& from) {
  OfferedSection section;
  section.kind = read_enum(from.at(0), SectionKind::other);
  section.mid = from.at(1);
  section.direction = read_enum(from.at(2), Direction::inactive);
  section.rejected = from.at(3);
  section.codec.payload_type = from.at(4);
  section.codec.clock_rate = from.at(5);
  read_optional<std::uint8_t, std::uint8_t>(from.at(6), section.mid_extension);
  section.sctp_port = from.at(7);
  section.max_message_size = from.at(8);
  if (section.accepted() && section.is_rtp() && section.codec.clock_rate == 0) {
    throw std::out_of_range("a clock rate");
  }
  return section;
}

Cbor times_cbor(const SetupTimes& times) {
  return {optional_cbor(times.ice), optional_cbor(times.dtls), optional_cbor(times.media),
          optional_cbor(times.data)};
}
SetupTimes read_times(const Cbor& from) {
  SetupTimes times;
  std::size_t at = 0;
  for (auto* time : {&times.ice, &times.dtls, &times.media, &times.data}) {
    const Cbor& field = from.at(at++);
    if (!field.is_null()) *time = read_time(field);
  }
  return times;
}

Cbor stream_cbor(const EchoStreamState& stream) {
  const rtp::ReceptionState& reception = stream.reception;
  return {optional_cbor(stream.source),
          stream.packets,
          stream.octets,
          reception.base,
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
EchoStreamState read_stream(const Cbor& from) {
  EchoStreamState stream;
  rtp::ReceptionState& reception = stream.reception;
  read_optional<rtp::Ssrc, std::uint32_t>(from.at(0), stream.source);
  stream.packets = from.at(1);
  stream.octets = from.at(2);
  reception.base = from.at(3);
  reception.highest = from.at(4);
  reception.in_sequence = from.at(5);
  read_optional<rtp::SequenceNumber, std::uint16_t>(from.at(6), reception.expected_next);
  reception.received = from.at(7);
  reception.expected_before = from.at(8);
  reception.received_before = from.at(9);
  reception.jitter = from.at(10);
  read_optional<rtp::CompactNtp, std::uint32_t>(from.at(11), reception.report);
  reception.since_report = read_time(from.at(12));
  return stream;
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
Channels::value_type read_channel(const Cbor& from) {
  data_channel::ChannelOptions options;
  options.label = from.at(1);
  options.protocol = from.at(2);
  options.ordered = from.at(3);
  if (!from.at(4).is_null()) {
    options.max_lifetime = std::chrono::milliseconds(from.at(4).get<std::uint32_t>());
  }
  read_optional<std::uint32_t, std::uint32_t>(from.at(5), options.max_retransmits);
  options.priority = from.at(6);
  return {data_channel::ChannelId{from.at(0).get<std::uint16_t>()}, std::move(options)};
}

// ---- a call, without its transport

Cbor call_cbor(const MovedCall& call) {
  Cbor made = {{"id", call.id},
               {"address", call.address},
               {"ssrcs", call.ssrcs},
               {"times", times_cbor(call.times)},
               {"age", call.age.count()},
               {"sections", Cbor::array()},
               {"streams", Cbor::array()},
               {"channels", Cbor::array()}};
  for (const auto& section : call.sections) made["sections"].push_back(section_cbor(section));
  for (const auto& stream : call.streams) made["streams"].push_back(stream_cbor(stream));
  for (const auto& [id, options] : call.channels) {
    made["channels"].push_back(channel_cbor(id, options));
  }
  return made;
}

// Throws what nlohmann_json throws where a field is missing or is of another type.
MovedCall read_call(const Cbor& from) {
  MovedCall call;
  call.id = from.at("id");
  call.address = from.at("address");
  call.ssrcs = from.at("ssrcs").get<std::vector<std::uint32_t>>();
  call.times = read_times(from.at("times"));
  call.age = read_time(from.at("age"));
  for (const auto& section : from.at("sections"))
    call.sections.push_back(read_moved_section(section));
  for (const auto& stream : from.at("streams")) call.streams.push_back(read_stream(stream));
  for (const auto& channel : from.at("channels")) call.channels.insert(read_channel(channel));
  if (call.ssrcs.size() != call.sections.size()) {
    throw std::out_of_range("another number of SSRCs than of sections");
  }
  return call;
}

void append_sized(Buffer& out, Bytes bytes) {
  append_u32(out, static_cast<std::uint32_t>(bytes.size()));
  append(out, bytes);
}

// Takes the parts off the front; throws where one is missing.
class PartReader {
 public:
  explicit PartReader(Bytes bytes) : rest_(bytes) {}

  Bytes bytes(std::size_t size) {
    if (size > rest_.size()) throw std::out_of_range("truncated");
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  Bytes sized() { return bytes(load_u32(bytes(4), 0)); }
  Cbor part() {
    const Bytes part = sized();
    const auto* data = reinterpret_cast<const std::uint8_t*>(part.data());
    return Cbor::from_cbor(data, data + part.size());
  }
  [[nodiscard]] bool at_end() const { return rest_.empty(); }

 private:
  Bytes rest_;
};

Buffer bytes_of(const Cbor& value) {
  const auto bytes = Cbor::to_cbor(value);
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

}  // namespace

dtls::SecretBytes encode(const MovedCalls& calls) {
  std::vector<Buffer> details;
  std::size_t size = kCallsMagic.size() + 64;
  for (const MovedCall& call : calls.calls) {
    details.push_back(bytes_of(call_cbor(call)));
    size += 8 + details.back().size() + call.transport.size();
  }
  Buffer out;
  out.reserve(size);  // so that no copy of a secret stays behind
  append(out, std::as_bytes(std::span(kCallsMagic)));
  append_sized(out, bytes_of({{"left_at", calls.left_at}, {"calls", calls.calls.size()}}));
  for (std::size_t i = 0; i < details.size(); ++i) {
    append_sized(out, details[i]);
    append_sized(out, calls.calls[i].transport.bytes());
  }
  return dtls::SecretBytes(std::move(out));
}

tl::expected<MovedCalls, std::string> decode_moved_calls(Bytes bytes) {
  // The library throws where CBOR or a field is not what it should be.
  try {
    PartReader in(bytes);
    const Bytes magic = in.bytes(kCallsMagic.size());
    if (!std::ranges::equal(magic, std::as_bytes(std::span(kCallsMagic)))) {
      return tl::unexpected<std::string>("no calls of sluice-demo, or of another version");
    }
    const Cbor head = in.part();
    MovedCalls calls{.left_at = head.at("left_at"), .calls = {}};
    for (auto count = head.at("calls").get<std::uint32_t>(); count > 0; --count) {
      MovedCall call = read_call(in.part());
      const Bytes transport = in.sized();
      call.transport = dtls::SecretBytes(Buffer(transport.begin(), transport.end()));
      calls.calls.push_back(std::move(call));
    }
    if (!in.at_end()) return tl::unexpected<std::string>("bytes that are left over");
    return calls;
  } catch (const std::exception& error) {
    return tl::unexpected<std::string>(error.what());
  }
}

}  // namespace sluice::interop::demo
