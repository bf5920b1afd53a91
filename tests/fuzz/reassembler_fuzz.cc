// Fragments in any order and cut: what comes out is what was cut, and no more is allocated than the
// bounds allow.
#include <algorithm>

#include "flight/reassembler.h"
#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/allocations.h"

namespace sluice::fuzz {
namespace {

using namespace dtls;
using flight::Reassembler;

constexpr std::size_t kMaxMessage = 3000;
constexpr std::size_t kMaxBytes = 6000;
// Buffers that grow double, and a node in a map has its own header.
constexpr std::int64_t kMaxAllocated = 2 * kMaxBytes + 8192;

// What stands at a place of a message, so that what comes out can be checked.
std::byte byte_at(unsigned seq, std::size_t offset) {
  return static_cast<std::byte>((seq * 31 + offset * 7 + offset / 256) & 0xff);
}

// True until the fragments contradict each other.
bool add(Reassembler& reassembler, unsigned base, wire::Reader& input) {
  const unsigned seq = input.u8() % 24;
  const unsigned flags = input.u8();
  // Mostly the same for all fragments of a message, else few would ever be whole.
  const std::size_t length = (base + seq * 173 + (flags == 0xff ? 1 : 0)) % (kMaxMessage + 8);
  const std::size_t offset = length == 0 ? 0 : input.u16() % (length + 1);
  const std::size_t size = std::min<std::size_t>(input.u16(), length - offset);
  const wire::Epoch epoch{flags == 0xfe ? 1U : 0U};
  Buffer body(size);
  for (std::size_t i = 0; i < size; ++i) body[i] = byte_at(seq, offset + i);
  const message::HandshakeFragment fragment{
      {wire::HandshakeType::certificate, static_cast<std::uint32_t>(length),
       wire::MessageSeq{static_cast<std::uint16_t>(seq)}, static_cast<std::uint32_t>(offset),
       static_cast<std::uint32_t>(size)},
      body};
  const auto outcome = reassembler.add(fragment, epoch);
  SLUICE_CHECK(outcome || outcome.error().alert);
  if (length > kMaxMessage && outcome) SLUICE_CHECK(*outcome != Reassembler::Outcome::kept);
  return outcome.has_value();
}

void check_front(const Reassembler& reassembler) {
  const auto message = reassembler.front();
  if (!message) return;
  SLUICE_CHECK(message->message_seq == reassembler.next_seq());
  const unsigned seq = wire::value_of(message->message_seq);
  const Bytes body = message->body();
  for (std::size_t i = 0; i < body.size(); ++i) SLUICE_CHECK(body[i] == byte_at(seq, i));
}

void run(wire::Reader input) {
  const auto before = test::allocations().bytes;
  Reassembler reassembler({.max_message = kMaxMessage, .max_bytes = kMaxBytes});
  const bool pops = input.u8() % 2 == 0;
  const unsigned base = input.u16();
  while (input.more() && add(reassembler, base, input)) {
    SLUICE_CHECK(test::allocations().bytes - before <= kMaxAllocated);
    check_front(reassembler);
    while (pops && reassembler.front()) reassembler.pop();
  }
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sluice::fuzz::run(sluice::dtls::wire::Reader(sluice::fuzz::bytes_of(data, size)));
  return 0;
}
