// One RTCP compound: each packet that is read can be written, and is then read as the same.
#include <sluice/rtp/rtcp.h>

#include <array>
#include <vector>

#include "fuzz/check.h"

namespace sluice::rtp {
namespace {

std::array<std::byte, 300000> out;

bool same(const UnknownPacket& a, const UnknownPacket& b) {
  return a.type == b.type && a.format == b.format && a.body.size() == b.body.size();
}
template <class Packet>
bool same(const Packet& a, const Packet& b) {
  return a == b;
}

template <class Packet>
void check_packet(const Packet& packet) {
  CompoundWriter writer(CompoundForm::reduced_size, out);
  const auto added = writer.add(packet);
  // Padding may end within a word; and SDES chunks of one source become one, too many of which can
  // be above what one packet holds only in bytes, never in number.
  if (!added) {
    SLUICE_CHECK(added.error() == WriteError::too_long);
    return;
  }
  CompoundReader reader(writer.compound());
  const auto again = reader.next();
  SLUICE_CHECK(again && *again);
  const auto* read = std::get_if<Packet>(&**again);
  SLUICE_CHECK(read != nullptr);
  SLUICE_CHECK(same(*read, packet));
  SLUICE_CHECK(!reader.next());
}

void check(const std::vector<std::byte>& compound) {
  const bool well_framed = check_compound(compound, CompoundForm::reduced_size).has_value();
  bool framing_lost = false;
  std::size_t packets = 0;
  CompoundReader reader(compound);
  while (const auto packet = reader.next()) {
    ++packets;
    if (*packet) {
      std::visit([](const auto& value) { check_packet(value); }, **packet);
    } else {
      framing_lost = packet->error() == Malformed::too_short ||
                     packet->error() == Malformed::wrong_version ||
                     packet->error() == Malformed::bad_length;
    }
  }
  SLUICE_CHECK(packets >= 1 && packets <= compound.size() / 4 + 1);
  SLUICE_CHECK(well_framed || framing_lost);
}

}  // namespace
}  // namespace sluice::rtp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  sluice::rtp::check({bytes, bytes + size});
  return 0;
}
