#include "demo/moved_call.h"

#include <algorithm>
#include <span>
#include <stdexcept>
#include <utility>

#include "common/state/state_fields.h"
#include "common/state/stored_numbers.h"

namespace sluice::interop::demo {
namespace {

constexpr std::string_view kCallsMagic = "sluice calls 2\n";

// ---- the parts, each a list of its fields

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
  section.mid_extension = read_optional<std::uint8_t>(from.at(6));
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
    *time = read_optional_time(from.at(at++));
  }
  return times;
}

Cbor stream_cbor(const EchoStreamState& stream) {
  return {optional_cbor(stream.source), stream.packets, stream.octets,
          reception_cbor(stream.reception)};
}
EchoStreamState read_stream(const Cbor& from) {
  return {.source = read_optional<rtp::Ssrc>(from.at(0)),
          .packets = read_number<std::uint32_t>(from.at(1)),
          .octets = read_number<std::uint32_t>(from.at(2)),
          .reception = read_reception(from.at(3))};
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

}  // namespace

dtls::SecretBytes encode(const MovedCalls& calls) {
  std::vector<Buffer> details;
  std::size_t size = kCallsMagic.size() + 64;
  for (const MovedCall& call : calls.calls) {
    details.push_back(to_bytes(call_cbor(call)));
    size += 8 + details.back().size() + call.transport.size();
  }
  Buffer out;
  out.reserve(size);  // so that no copy of a secret stays behind
  append(out, std::as_bytes(std::span(kCallsMagic)));
  append_sized(out, to_bytes({{"left_at", calls.left_at}, {"calls", calls.calls.size()}}));
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
