// RFC 4571: any stream in any pieces. The first byte of the input is the number of pieces that the
// others are divided into, by the bytes behind it; the rest is the stream.
#include <sluice/tcp/framing.h>

#include <algorithm>

#include "fuzz/check.h"
#include "fuzz/input.h"

namespace sluice::fuzz {
namespace {

using tcp::Deframer;

constexpr std::size_t kMaxFrame = 1000;

struct Outcome {
  std::vector<dtls::Buffer> datagrams;
  std::uint64_t null_frames = 0;
  bool has_failed = false;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void take_piece(Deframer& deframer, dtls::Buffer piece, Outcome& outcome) {
  for (dtls::MutableBytes rest = piece;;) {
    const std::size_t before = rest.size();
    const auto datagram = deframer.next(rest);
    SLUICE_CHECK(rest.size() <= before);
    SLUICE_CHECK(deframer.pending() <= tcp::kLengthSize + kMaxFrame);
    SLUICE_CHECK(deframer.capacity() <= tcp::kLengthSize + kMaxFrame);
    outcome.has_failed = !datagram.has_value();
    if (!datagram) return;
    if (!*datagram) {
      SLUICE_CHECK(rest.empty());
      return;
    }
    SLUICE_CHECK(!(*datagram)->empty() && (*datagram)->size() <= kMaxFrame);
    outcome.datagrams.emplace_back((*datagram)->begin(), (*datagram)->end());
    // A user decrypts in place.
    std::ranges::fill(**datagram, std::byte{0xff});
  }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  sluice::dtls::wire::Reader input(bytes_of(data, size));
  std::vector<std::size_t> sizes(input.u8() % 16);
  for (auto& each : sizes) each = input.u8();
  const auto stream = sluice::test::copy_of(input.rest());

  Outcome whole;
  Deframer at_once(kMaxFrame);
  take_piece(at_once, stream, whole);
  whole.null_frames = at_once.null_frames();

  Outcome divided;
  Deframer deframer(kMaxFrame);
  sluice::dtls::wire::Reader rest(stream);
  for (const std::size_t each : sizes) take_piece(deframer, take(rest, each), divided);
  take_piece(deframer, take(rest, rest.rest().size()), divided);
  divided.null_frames = deframer.null_frames();
  SLUICE_CHECK(divided == whole);
  return 0;
}
