#include <gtest/gtest.h>

#include <array>

#include "message/certificate_types.h"
#include "message/code_list_extension.h"
#include "message/connection_id.h"
#include "message/ec_point_formats.h"
#include "message/extension_block.h"
#include "message/max_fragment_length.h"
#include "message/record_size_limit.h"
#include "message/renegotiation_info.h"
#include "message/use_srtp.h"
#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::to_hex;
using wire::ExtensionType;

// The data of the one extension that `put` writes, without type and length.
template <class Put>
Buffer data_of(ExtensionType type, Put put) {
  Buffer block;
  wire::Writer writer(block);
  put(writer);
  const auto parsed = ExtensionBlock::parse(block);
  const auto data = parsed ? parsed->find(type) : std::nullopt;
  EXPECT_TRUE(data);
  return data ? test::copy_of(*data) : Buffer();
}

TEST(ExtensionBlock, FindsEachByItsType) {
  const Buffer bytes = from_hex("0017 0000 000a 0004 0002001d ff01 0001 00");
  const auto block = ExtensionBlock::parse(bytes);
  ASSERT_TRUE(block);
  EXPECT_EQ(to_hex(block->find(ExtensionType::supported_groups).value()), "0002001d");
  EXPECT_EQ(to_hex(block->find(ExtensionType::renegotiation_info).value()), "00");
  const auto empty = block->find(ExtensionType::extended_master_secret);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->empty());
  EXPECT_FALSE(block->find(ExtensionType::use_srtp));
}

TEST(ExtensionBlock, EveryExtensionIsWhole) {
  const Buffer bytes = from_hex("0017 0000 000a 0004 0002001d");
  // Cut between two extensions it is a block of one, cut before the first an empty one.
  expect_exact(bytes, [](const Buffer& block) { return ExtensionBlock::parse(block).has_value(); },
               {0, 4});
  EXPECT_FALSE(ExtensionBlock::parse(from_hex("0017 ffff 00")));
}

// RFC 5246 section 7.4.1.4: there must not be more than one of a type, known or not.
TEST(ExtensionBlock, NoTypeComesTwice) {
  EXPECT_FALSE(ExtensionBlock::parse(from_hex("0017 0000 0017 0000")));
  EXPECT_FALSE(ExtensionBlock::parse(from_hex("0017 0000 000a 0002 0000 0017 0000")));
  EXPECT_FALSE(ExtensionBlock::parse(from_hex("fafa 0001 00 0017 0000 fafa 0000")));
  EXPECT_FALSE(ExtensionBlock::parse(from_hex("0000 0000 0000 0000")));
}

TEST(ExtensionBlock, TakesManyAndStaysBounded) {
  const auto block = [](unsigned count) {
    Buffer bytes;
    wire::Writer writer(bytes);
    for (unsigned i = 0; i < count; ++i) {
      put_empty_extension(writer, ExtensionType{static_cast<std::uint16_t>(i)});
    }
    return bytes;
  };
  // Browsers send fewer than 20; 16,383 fit into a hello.
  EXPECT_TRUE(ExtensionBlock::parse(block(128)));
  EXPECT_FALSE(ExtensionBlock::parse(block(129)));
  EXPECT_FALSE(ExtensionBlock::parse(block(16383)));
}

TEST(ExtensionBlock, AllOfStopsAtTheFirstNo) {
  const Buffer bytes = from_hex("0001 0000 0002 0000 0003 0000");
  const auto block = ExtensionBlock::parse(bytes);
  ASSERT_TRUE(block);
  int visited = 0;
  EXPECT_FALSE(block->all_of([&](const ExtensionBlock::Extension& extension) {
    ++visited;
    return extension.type != ExtensionType{2};
  }));
  EXPECT_EQ(visited, 2);
  EXPECT_TRUE(block->all_of([](const auto&) { return true; }));
  EXPECT_TRUE(ExtensionBlock().all_of([](const auto&) { return false; }));
}

TEST(CodeListExtension, WhatIsWrittenIsReadWholeOnly) {
  const std::array groups{NamedGroup::x25519, NamedGroup::secp256r1};
  const Buffer data = data_of(ExtensionType::supported_groups, [&](wire::Writer& out) {
    put_code_list_extension(out, ExtensionType::supported_groups, groups);
  });
  EXPECT_EQ(to_hex(data), "0004001d0017");
  const auto decode = [](const Buffer& bytes) {
    return decode_code_list<NamedGroup>(bytes, ListWidth::two).has_value();
  };
  expect_exact(data, decode);
  const auto list = decode_code_list<NamedGroup>(data, ListWidth::two);
  EXPECT_TRUE(std::ranges::equal(*list, groups));
}

// RFC 8422 section 5.1.1 and RFC 5246 section 7.4.1.4.1: lists of at least one, of whole codes;
// RFC 8446 section 4.2.1: supported_versions has a length of one byte.
TEST(CodeListExtension, RefusesEmptyAndBrokenLists) {
  for (const auto* const hex : {"", "0000", "0001 00", "0003 001d00", "0002 001d 00"}) {
    EXPECT_FALSE(decode_code_list<NamedGroup>(from_hex(hex), ListWidth::two)) << hex;
  }
  EXPECT_TRUE(decode_code_list<ProtocolVersion>(from_hex("04 fefc fefd"), ListWidth::one));
  for (const auto* const hex : {"", "00", "01 fe", "03 fefdfe", "02 fefd 00", "0002 fefd"}) {
    EXPECT_FALSE(decode_code_list<ProtocolVersion>(from_hex(hex), ListWidth::one)) << hex;
  }
}

TEST(EcPointFormats, AListHasTheUncompressedForm) {
  const Buffer data =
      data_of(ExtensionType::ec_point_formats, [](wire::Writer& out) { put_point_formats(out); });
  EXPECT_EQ(to_hex(data), "0100");
  expect_exact(data, [](const Buffer& bytes) { return is_point_format_list(bytes); });
  EXPECT_TRUE(has_uncompressed_format(data));
  EXPECT_TRUE(has_uncompressed_format(from_hex("03 010200")));
  // RFC 8422 section 5.1.2: <1..2^8-1>, and uncompressed (0) must be in it.
  EXPECT_FALSE(is_point_format_list(from_hex("00")));
  EXPECT_TRUE(is_point_format_list(from_hex("01 01")));
  EXPECT_FALSE(has_uncompressed_format(from_hex("01 01")));
}

TEST(RenegotiationInfo, OfAFirstHandshakeIsEmpty) {
  const Buffer data = data_of(ExtensionType::renegotiation_info,
                              [](wire::Writer& out) { put_renegotiation_info(out); });
  EXPECT_EQ(to_hex(data), "00");
  expect_exact(data, [](const Buffer& bytes) { return is_initial_renegotiation_info(bytes); });
  // RFC 5746 sections 3.4 and 3.6: verify_data of an earlier handshake there was none of.
  EXPECT_FALSE(is_initial_renegotiation_info(from_hex("0c" + std::string(24, '1'))));
}

TEST(UseSrtp, WhatIsWrittenIsReadWholeOnly) {
  const std::array profiles{SrtpProfile::aead_aes_256_gcm, SrtpProfile::aes128_cm_hmac_sha1_80};
  const Buffer data =
      data_of(ExtensionType::use_srtp, [&](wire::Writer& out) { put_use_srtp(out, profiles, {}); });
  // RFC 8827 section 6.5: no MKI.
  EXPECT_EQ(to_hex(data), "00040008000100");
  expect_exact(data, [](const Buffer& bytes) { return UseSrtp::decode(bytes).has_value(); });
  const auto decoded = UseSrtp::decode(data);
  EXPECT_TRUE(std::ranges::equal(decoded->profiles, profiles));
  EXPECT_TRUE(decoded->mki.empty());
}

// RFC 5764 section 4.1.1: SRTPProtectionProfiles<2..2^16-1>, srtp_mki<0..255>.
TEST(UseSrtp, KeepsToTheLimitsOfItsVectors) {
  EXPECT_FALSE(UseSrtp::decode(from_hex("0000 00")));
  EXPECT_FALSE(UseSrtp::decode(from_hex("0003 000100 00")));
  EXPECT_FALSE(UseSrtp::decode(from_hex("0002 0001")));
  const Buffer with_mki = from_hex("0002 0001 ff" + std::string(510, '3'));
  const auto decoded = UseSrtp::decode(with_mki);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->mki.size(), 255U);
}

// RFC 5764 section 4.1.1: the MKI has a length of its own behind the profiles.
TEST(UseSrtp, HasAnMkiBehindTheProfiles) {
  const std::array profiles{SrtpProfile::aes128_cm_hmac_sha1_80};
  const Buffer mki = from_hex("00ff01");
  const Buffer data = data_of(ExtensionType::use_srtp,
                              [&](wire::Writer& out) { put_use_srtp(out, profiles, mki); });
  EXPECT_EQ(to_hex(data), "000200010300ff01");
  expect_exact(data, [](const Buffer& bytes) { return UseSrtp::decode(bytes).has_value(); });
  EXPECT_TRUE(std::ranges::equal(UseSrtp::decode(data)->mki, mki));
}

// RFC 7250 section 3: a list in a ClientHello, one value in the answer.
TEST(CertificateTypes, AreAListOrOne) {
  constexpr auto kType = ExtensionType::client_certificate_type;
  const std::array types{CertificateType::raw_public_key, CertificateType::x509};
  const Buffer list =
      data_of(kType, [&](wire::Writer& out) { put_certificate_types(out, kType, types); });
  EXPECT_EQ(to_hex(list), "020200");
  expect_exact(list,
               [](const Buffer& bytes) { return decode_certificate_types(bytes).has_value(); });
  EXPECT_FALSE(decode_certificate_types(from_hex("00")));
  EXPECT_TRUE(set_of(from_hex("0200")).has(CertificateType::raw_public_key));
  EXPECT_FALSE(set_of(from_hex("0102")).has(CertificateType::x509));

  const Buffer one =
      data_of(kType, [&](wire::Writer& out) { put_certificate_type(out, kType, types.front()); });
  EXPECT_EQ(to_hex(one), "02");
  expect_exact(one, [](const Buffer& bytes) { return decode_certificate_type(bytes).has_value(); });
}

// RFC 6066 section 4: 2^9(1), 2^10(2), 2^11(3), 2^12(4).
TEST(MaxFragmentLengths, AreFour) {
  constexpr auto kType = ExtensionType::max_fragment_length;
  const Buffer data = data_of(kType, [](wire::Writer& out) {
    put_max_fragment_length(out, MaxFragmentLength::bytes_2048);
  });
  EXPECT_EQ(to_hex(data), "03");
  expect_exact(data,
               [](const Buffer& bytes) { return decode_max_fragment_length(bytes).has_value(); });
  EXPECT_EQ(size_of(MaxFragmentLength::bytes_512), 512);
  EXPECT_EQ(size_of(MaxFragmentLength::bytes_4096), 4096);
  EXPECT_EQ(length_of(1024), MaxFragmentLength::bytes_1024);
  EXPECT_FALSE(length_of(256) || length_of(8192) || length_of(513));
  EXPECT_FALSE(is_allowed(MaxFragmentLength{0}) || is_allowed(MaxFragmentLength{5}));
}

// RFC 8449 section 4: uint16 RecordSizeLimit.
TEST(RecordSizeLimit, IsTwoBytes) {
  const Buffer data = data_of(ExtensionType::record_size_limit,
                              [](wire::Writer& out) { put_record_size_limit(out, 0x4001); });
  EXPECT_EQ(to_hex(data), "4001");
  expect_exact(data,
               [](const Buffer& bytes) { return decode_record_size_limit(bytes).has_value(); });
  EXPECT_EQ(decode_record_size_limit(from_hex("0040")), 64);
}

// RFC 9146 section 3: opaque cid<0..2^8-1>.
TEST(ConnectionIdExtension, HasALengthOfOneByte) {
  const Buffer data = data_of(ExtensionType::connection_id,
                              [](wire::Writer& out) { put_connection_id(out, from_hex("aabb")); });
  EXPECT_EQ(to_hex(data), "02aabb");
  expect_exact(data, [](const Buffer& bytes) { return decode_connection_id(bytes).has_value(); });
  EXPECT_TRUE(decode_connection_id(from_hex("00"))->empty());
  EXPECT_EQ(decode_connection_id(Buffer(256, std::byte{0xff}))->size(), 255U);
}

}  // namespace
}  // namespace sluice::dtls::message
