#include <gtest/gtest.h>
#include <sluice/stun/crc32.h>
#include <sluice/stun/writer.h>

#include "support/stun_messages.h"

namespace sluice::stun {
namespace {

using dtls::Buffer;
using dtls::Errc;

// The attributes, without header and FINGERPRINT.
template <class Write>
std::string attributes_of(Write write) {
  const Buffer bytes = test::written(MessageClass::request, write);
  return test::to_hex(
      dtls::Bytes(bytes).subspan(kHeaderSize, bytes.size() - kHeaderSize - kFingerprintSize));
}

std::string hex(std::string_view spaced) { return test::to_hex(test::from_hex(spaced)); }

TEST(StunWriter, HeadersAreThoseOfTheRfc) {
  const auto header_of = [](MessageClass message_class, unsigned method) {
    Buffer out(100);
    Writer writer(out, message_class, static_cast<Method>(method), test::kTransaction);
    EXPECT_EQ(writer.size(), kHeaderSize);
    out.resize(test::must(writer.finish()));
    return test::to_hex(dtls::Bytes(out).first(8));
  };
  EXPECT_EQ(header_of(MessageClass::request, 1), "000100082112a442");
  EXPECT_EQ(header_of(MessageClass::indication, 1), "001100082112a442");
  EXPECT_EQ(header_of(MessageClass::success_response, 1), "010100082112a442");
  EXPECT_EQ(header_of(MessageClass::error_response, 1), "011100082112a442");
  EXPECT_EQ(header_of(MessageClass::error_response, 0xfff), "3fff00082112a442");
  EXPECT_EQ(header_of(MessageClass::request, 0x010), "002000082112a442");
  EXPECT_EQ(header_of(MessageClass::request, 0x080), "020000082112a442");
}

TEST(StunWriter, EachAttributeIsWrittenAsTheRfcSays) {
  EXPECT_EQ(attributes_of([](Writer& w) { w.username("a:b"); }), hex("0006 0003 613a6200"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.username("a:bc"); }), hex("0006 0004 613a6263"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.priority(0x6e0001ff); }), hex("0024 0004 6e0001ff"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.use_candidate(); }), hex("0025 0000"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.ice_controlled(0x932ff9b151263b36); }),
            hex("8029 0008 932ff9b151263b36"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.ice_controlling(1); }),
            hex("802a 0008 0000000000000001"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.nomination(0x102); }), hex("c001 0004 00000102"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.error_code(487, "Role"); }),
            hex("0009 0008 00000457 526f6c65"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.error_code(300, ""); }), hex("0009 0004 00000300"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.software("x"); }), hex("8022 0001 78000000"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.dtls_in_stun(test::from_hex("16fefd0102")); }),
            hex("c070 0005 16fefd0102 000000"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.dtls_in_stun({}); }), hex("c070 0000"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.dtls_in_stun_ack(std::array{0x01020304U, 5U}); }),
            hex("c071 0008 01020304 00000005"));
  EXPECT_EQ(attributes_of([](Writer& w) {
              w.unknown_attributes(test::unknown_types({0x7f01, 0x0002, 0x001c}));
            }),
            hex("000a 0006 7f01 0002 001c 0000"));
}

TEST(StunWriter, AddressesAreMaskedOrNot) {
  EXPECT_EQ(attributes_of([](Writer& w) { w.mapped_address(test::kIpv4Endpoint); }),
            hex("0001 0008 0001 8055 c0000201"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.mapped_address(test::kIpv6Endpoint); }),
            hex("0001 0014 0002 8055 20010db8 12345678 00112233 44556677"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.xor_mapped_address(test::kIpv4Endpoint); }),
            hex("0020 0008 0001 a147 e112a643"));
  EXPECT_EQ(attributes_of([](Writer& w) { w.xor_mapped_address(test::kIpv6Endpoint); }),
            hex("0020 0014 0002 a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9"));
}

// A buffer that was used before: padding must not show what stood there.
TEST(StunWriter, PaddingIsZero) {
  Buffer out(100, std::byte{0xee});
  Writer writer(out, MessageClass::request, Method::binding, test::kTransaction);
  writer.software("12345");
  ASSERT_TRUE(writer.finish());
  EXPECT_EQ(test::to_hex(dtls::Bytes(out).subspan(kHeaderSize + kAttributeHeaderSize, 8)),
            hex("3132333435 000000"));
}

TEST(StunWriter, WhatItFinishesIsAuthentic) {
  const IntegrityKey key = test::ice_key();
  const Buffer bytes = test::written_check(key);
  const auto message = decode(bytes);
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->has_fingerprint);
  EXPECT_TRUE(verify_integrity(*message, test::environment(), key));
}

template <class Write>
dtls::Result<std::size_t> finished(std::size_t room, Write write, bool with_integrity = false) {
  const IntegrityKey key = test::ice_key();
  Buffer out(room);  // AddressSanitizer sees a write beyond it
  Writer writer(out, MessageClass::request, Method::binding, test::kTransaction);
  write(writer);
  return with_integrity ? writer.finish(test::environment(), key) : writer.finish();
}

template <class Write>
Errc refusal_of(std::size_t room, Write write, bool with_integrity = false) {
  const auto size = finished(room, write, with_integrity);
  EXPECT_FALSE(size) << room;
  return size ? Errc{} : size.error().code;
}

TEST(StunWriter, AMessageThatDoesNotFitIsAnError) {
  const auto write = [](Writer& writer) {
    writer.username("evtj:h6vY");
    writer.xor_mapped_address(test::kIpv4Endpoint);
    writer.xor_mapped_address(test::kIpv6Endpoint);
    writer.error_code(487, "Role Conflict");
    writer.use_candidate();
    writer.dtls_in_stun_ack(std::array{1U});
    writer.unknown_attributes(test::unknown_types({0x7fff}));
    writer.ice_controlled(1);
  };
  for (const bool with_integrity : {false, true}) {
    const std::size_t needed = test::must(finished(1000, write, with_integrity));
    EXPECT_EQ(test::must(finished(needed, write, with_integrity)), needed);
    for (std::size_t room = 0; room < needed; ++room) {
      EXPECT_EQ(refusal_of(room, write, with_integrity), Errc::buffer_too_small) << room;
    }
  }
}

TEST(StunWriter, NothingIsWrittenAfterAFailure) {
  Buffer out(80);
  Writer writer(out, MessageClass::request, Method::binding, test::kTransaction);
  writer.software(std::string(100, 'x'));
  writer.priority(1);
  EXPECT_EQ(writer.size(), kHeaderSize);
  const auto size = writer.finish();
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error().code, Errc::buffer_too_small);
  EXPECT_EQ(size.error().detail.view(), "attribute");
}

TEST(StunWriter, ForbiddenValuesAreErrors) {
  const auto detail_of = [](auto write) {
    const auto size = finished(2000, write);
    EXPECT_FALSE(size);
    if (size) return std::string("none");
    EXPECT_EQ(size.error().code, Errc::invalid_argument);
    return std::string(size.error().detail.view());
  };
  const auto is_fine = [](auto write) { return finished(2000, write).has_value(); };
  EXPECT_EQ(detail_of([](Writer& w) { w.username(std::string(509, 'u')); }), "username");
  EXPECT_TRUE(is_fine([](Writer& w) { w.username(std::string(508, 'u')); }));
  EXPECT_EQ(detail_of([](Writer& w) { w.software(std::string(510, 's')); }), "software");
  EXPECT_TRUE(is_fine([](Writer& w) { w.software(std::string(509, 's')); }));
  EXPECT_EQ(detail_of([](Writer& w) { w.error_code(299, ""); }), "error_code");
  EXPECT_EQ(detail_of([](Writer& w) { w.error_code(700, ""); }), "error_code");
  EXPECT_TRUE(is_fine([](Writer& w) { w.error_code(699, std::string(509, 'r')); }));
  EXPECT_EQ(detail_of([](Writer& w) { w.error_code(400, std::string(510, 'r')); }),
            "error_code: reason");
  EXPECT_EQ(detail_of([](Writer& w) {
              w.error_code(700, "");
              w.username(std::string(509, 'u'));
            }),
            "error_code")
      << "the first counts";

  Buffer out(100);
  Writer writer(out, MessageClass::request, static_cast<Method>(0x1000), test::kTransaction);
  EXPECT_EQ(writer.finish().error().detail.view(), "method");
}

// The header's length has 16 bits.
TEST(StunWriter, AMessageHasAtMost65532BytesBehindItsHeader) {
  constexpr std::size_t kMost = 65532 - kFingerprintSize - kAttributeHeaderSize;
  const Buffer most(kMost);
  EXPECT_EQ(test::must(finished(100'000, [&](Writer& w) { w.dtls_in_stun(most); })), 65552U);
  const Buffer more(kMost + 1);
  EXPECT_EQ(refusal_of(100'000, [&](Writer& w) { w.dtls_in_stun(more); }), Errc::buffer_too_small);
  for (const std::size_t size : {65532U, 65533U, 65536U, 70'000U}) {
    const Buffer too_much(size);
    EXPECT_EQ(refusal_of(100'000, [&](Writer& w) { w.dtls_in_stun(too_much); }),
              Errc::buffer_too_small);
  }
}

}  // namespace
}  // namespace sluice::stun
