// Packets of any sources forwarded to one receiver: what is written is read as that packet, stays
// within the room that was stated, and can be written again to the byte.
#include <sluice/rtp/forwarded_stream.h>

#include <algorithm>
#include <array>
#include <utility>

#include "fuzz/check.h"
#include "fuzz/input.h"

namespace sluice::rtp {
namespace {

// By the bits of `choice`: the form, and which elements the server writes.
ForwardOptions options_of(unsigned choice) {
  ForwardOptions options{.ssrc = Ssrc{1}, .repeat_window = 16};
  for (std::size_t type = 0; type < options.payload_types.size(); ++type) {
    if (type % 4 != 3) options.payload_types[type] = PayloadType{static_cast<std::uint8_t>(type)};
  }
  for (std::uint8_t id = 6; id < 15; ++id) options.extension_ids[id] = id;
  if ((choice & 1) != 0) options.extension_form = ExtensionForm::two_byte;
  if ((choice & 2) != 0) options.mid = TextElement{.id = ExtensionId{1}, .text = "audio"};
  if ((choice & 4) != 0) options.rid = TextElement{.id = ExtensionId{2}, .text = "h"};
  if ((choice & 8) != 0) options.absolute_send_time = ExtensionId{3};
  if ((choice & 16) != 0) options.transport_sequence_number = ExtensionId{4};
  if ((choice & 32) != 0) {
    options.rtx = RtxOptions{.ssrc = Ssrc{2}, .payload_types = options.payload_types};
    if (options.rid) options.rtx->repaired_rid = ExtensionId{5};
  }
  return options;
}

class Forwarding {
 public:
  explicit Forwarding(unsigned choice)
      : choice_(choice), stream_(*ForwardedStream::make(options_of(choice))) {}

  void take(dtls::Bytes bytes, unsigned what) {
    const auto packet = read_packet(bytes);
    if (!packet) return;
    now_ += Duration{what * 100};
    if (what % 8 == 0) return stream_.skip(*packet);
    if (what == 1) move();
    const Departure departure{.time = now_, .next_transport_number = transport_number_};
    dtls::Buffer out(stream_.max_size(*packet));
    const auto size = stream_.write(*packet, departure, out);
    if (!size) {
      SLUICE_CHECK(size.error() != NotForwarded::buffer_too_small);
      SLUICE_CHECK(size.error() != NotForwarded::not_repeatable);
      return;
    }
    out.resize(*size);
    const auto written = check(*packet, out, 0);
    const SequenceNumber number = written.sequence_number;
    SLUICE_CHECK(stream_.origin_of(number)->number == packet->sequence_number);
    dtls::Buffer again(stream_.max_size(*packet));
    const auto same = stream_.write_again(number, *packet, again);
    SLUICE_CHECK(same == size && std::equal(out.begin(), out.end(), again.begin()));
    const auto rtx = stream_.write_rtx(number, *packet, departure, again);
    SLUICE_CHECK(rtx.has_value() == stream_.has_rtx());
    if (!rtx) return;
    again.resize(*rtx);
    check(*packet, again, 2);
  }

 private:
  // To another process.
  void move() {
    const auto timestamp = stream_.timestamp_of(Timestamp{});
    const auto state = std::move(stream_).state(now_);
    stream_ = *ForwardedStream::restore(options_of(choice_), state, now_);
    SLUICE_CHECK(stream_.timestamp_of(Timestamp{}) == timestamp);
    SLUICE_CHECK(stream_.sent().packets == state.sent.packets);
  }

  static Packet check(const Packet& packet, dtls::Bytes bytes, std::size_t before_payload) {
    const auto read = read_packet(bytes);
    SLUICE_CHECK(read);
    SLUICE_CHECK(read->marker == packet.marker && read->padding_size == 0);
    SLUICE_CHECK(read->contributing_sources == packet.contributing_sources);
    SLUICE_CHECK(std::ranges::equal(read->payload.subspan(before_payload), packet.payload));
    ExtensionReader reader(read->extension);
    while (true) {
      const auto element = reader.next();
      SLUICE_CHECK(element);
      if (!*element) return *read;
    }
  }

  unsigned choice_;
  ForwardedStream stream_;
  Instant now_{};
  SequenceNumber transport_number_{};
};

void run(dtls::Bytes bytes) {
  dtls::wire::Reader input(bytes);
  Forwarding forwarding(input.u8());
  while (!input.rest().empty()) {
    const unsigned what = input.u8();
    forwarding.take(fuzz::take(input, input.u8()), what);
  }
}

}  // namespace
}  // namespace sluice::rtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::rtp::run(sluice::fuzz::bytes_of(data, size));
  return 0;
}
