// STUN messages: any bytes, the same with a header and FINGERPRINT that fit, and whatever a Writer
// is asked for.
#include <sluice/stun/crc32.h>

#include "fuzz/check.h"
#include "fuzz/input.h"
#include "support/stun_messages.h"

namespace sluice::fuzz {
namespace {

using namespace stun;
using dtls::Buffer;
using dtls::Bytes;

bool is_within(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void check_fields(const Message& message, Bytes datagram) {
  SLUICE_CHECK(message.bytes.data() == datagram.data() && message.bytes.size() == datagram.size());
  for (const auto& part : {message.username, message.software, message.dtls_in_stun,
                           message.dtls_in_stun_ack, std::optional(message.error_reason)}) {
    SLUICE_CHECK(!part || is_within(*part, datagram));
  }
  for (const AttributeType type : message.unknown.types()) {
    SLUICE_CHECK(is_comprehension_required(type));
  }
  if (message.integrity_at) {
    SLUICE_CHECK(*message.integrity_at >= kHeaderSize);
    SLUICE_CHECK(*message.integrity_at + kIntegritySize <= datagram.size());
  }
  SLUICE_CHECK(!message.error_code || (*message.error_code >= 300 && *message.error_code <= 699));
}

// What was read can be written, and is read again as the same.
void check_comes_back(const Message& message, const IntegrityKey& key) {
  Buffer out(70'000);
  Writer writer(out, message.message_class, message.method, message.transaction);
  test::rewrite(writer, message);
  const auto size = writer.finish(test::environment(), key);
  const bool is_long = (message.username && message.username->size() > 508) ||
                       (message.software && message.software->size() > 509) ||
                       message.error_reason.size() > 509;
  if (!size) {
    // The attributes of one that has no integrity may fill it.
    SLUICE_CHECK(size.error().code == dtls::Errc::invalid_argument
                     ? is_long
                     : message.bytes.size() + kIntegritySize + kFingerprintSize > 65552);
    return;
  }
  SLUICE_CHECK(!is_long);
  out.resize(*size);
  const auto again = decode(out);
  SLUICE_CHECK(again && again->has_fingerprint && again->unknown.empty());
  SLUICE_CHECK(test::same_fields(message, *again));
  SLUICE_CHECK(verify_integrity(*again, test::environment(), key));
}

void take(const Buffer& datagram) {
  static const IntegrityKey kKey = test::ice_key();
  const auto message = decode(datagram);
  if (!message) {
    SLUICE_CHECK(to_string(message.error()) != "unknown");
    return;
  }
  check_fields(*message, datagram);
  const bool is_authentic = verify_integrity(*message, test::environment(), kKey);
  SLUICE_CHECK(!is_authentic || message->integrity_at);
  check_comes_back(*message, kKey);
}

// Gives the attributes a header and FINGERPRINT, so that more of them are looked at.
Buffer mended(Bytes input) {
  constexpr std::size_t kMost = 65'000;
  Buffer attributes = test::copy_of(input.first(std::min(input.size(), kMost)));
  attributes.resize(attributes.size() / 4 * 4);
  const Buffer fingerprint = test::stun_attribute(AttributeType::fingerprint, Buffer(4));
  Buffer bytes = test::binding_request({attributes, fingerprint});
  const std::uint32_t crc = crc32(Bytes(bytes).first(bytes.size() - kFingerprintSize)) ^ 0x5354554e;
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[bytes.size() - 4 + i] = static_cast<std::byte>(crc >> (24 - 8 * i) & 0xff);
  }
  return bytes;
}

// Any calls, in a buffer of any size.
void write(dtls::wire::Reader input) {
  static const IntegrityKey kKey = test::ice_key();
  const std::size_t room = input.u16();
  Buffer out(room);
  Writer writer(out, static_cast<MessageClass>(input.u8() & 3), static_cast<Method>(input.u16()),
                test::kTransaction);
  while (input.more()) {
    const unsigned what = input.u8() % 12;
    const std::size_t number = input.u16();
    const std::string text(number % 800, 't');
    if (what == 0) writer.username(text);
    if (what == 1) writer.software(text);
    if (what == 2) writer.error_code(static_cast<std::uint16_t>(number), text);
    if (what == 3) writer.priority(static_cast<std::uint32_t>(number));
    if (what == 4) writer.use_candidate();
    if (what == 5) writer.ice_controlled(number);
    if (what == 6) writer.ice_controlling(number);
    if (what == 7) writer.xor_mapped_address(test::kIpv6Endpoint);
    if (what == 8) writer.mapped_address(test::kIpv4Endpoint);
    if (what == 9) writer.dtls_in_stun(Buffer(number * 2));
    if (what == 10) writer.dtls_in_stun_ack(std::vector<std::uint32_t>(number % 8, 7));
    if (what == 11) {
      UnknownAttributes unknown;
      for (std::size_t i = 0; i < number % 12; ++i) {
        unknown.add(static_cast<AttributeType>(number + i));
      }
      writer.unknown_attributes(unknown);
    }
    SLUICE_CHECK(writer.size() <= room);
  }
  const auto size = writer.finish(test::environment(), kKey);
  if (!size) return;
  SLUICE_CHECK(*size <= room);
  out.resize(*size);
  const auto message = decode(out);
  SLUICE_CHECK(message && message->has_fingerprint);
  SLUICE_CHECK(verify_integrity(*message, test::environment(), kKey));
}

}  // namespace
}  // namespace sluice::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  if (size == 0) return 0;
  const auto input = bytes_of(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      take(sluice::test::copy_of(input));
      break;
    case 1:
      take(mended(input));
      break;
    default:
      write(sluice::dtls::wire::Reader(input));
  }
  return 0;
}
