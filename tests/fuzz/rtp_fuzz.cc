// One RTP packet: whatever is read can be written to the same bytes, and what is rewritten in place
// is read as that.
#include <sluice/rtp/extension.h>
#include <sluice/rtp/packet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/check.h"

namespace sluice::rtp {
namespace {

std::array<std::byte, 70000> out;

// The number of elements; -1 where one does not fit.
int count_elements(const HeaderExtension& extension) {
  ExtensionReader reader(extension);
  int count = 0;
  while (true) {
    const auto element = reader.next();
    if (!element) return -1;
    if (!*element) return count;
    SLUICE_CHECK((*element)->value.size() <= 255);
    (void)read_mid((*element)->value);
    (void)read_rid((*element)->value);
    (void)read_absolute_send_time((*element)->value);
    (void)read_audio_level((*element)->value);
    ++count;
  }
}

void check(std::vector<std::byte> bytes) {
  const auto packet = read_packet(bytes);
  if (!packet) return;
  const auto size = write_packet(*packet, out);
  SLUICE_CHECK(size == bytes.size());
  // Padding is written as zeros.
  const std::size_t kept = bytes.size() - packet->padding_size;
  SLUICE_CHECK(std::ranges::equal(std::span(bytes).first(kept), std::span(out).first(kept)));

  const int elements = count_elements(packet->extension);
  ExtensionIds ids;
  ids.fill(3);
  const auto replaced = replace_extension_ids(bytes, ids);
  SLUICE_CHECK(replaced.has_value() == (elements >= 0));
  if (elements > 0) {
    const auto found = find_extension(MutableBytes(bytes), ExtensionId{3});
    SLUICE_CHECK(found && *found);
    ids.fill(0);
    SLUICE_CHECK(replace_extension_ids(bytes, ids));
    SLUICE_CHECK(count_elements(read_packet(bytes)->extension) == 0);
  }
  set_marker(bytes, true);
  set_payload_type(bytes, PayloadType{5});
  set_sequence_number(bytes, SequenceNumber{6});
  set_timestamp(bytes, Timestamp{7});
  set_ssrc(bytes, Ssrc{8});
  const auto changed = read_packet(bytes);
  SLUICE_CHECK(changed);
  SLUICE_CHECK(changed->marker && changed->payload_type == PayloadType{5} &&
               changed->sequence_number == SequenceNumber{6} &&
               changed->timestamp == Timestamp{7} && changed->ssrc == Ssrc{8});
}

}  // namespace
}  // namespace sluice::rtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  sluice::rtp::check({bytes, bytes + size});
  return 0;
}
