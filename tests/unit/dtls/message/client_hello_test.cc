#include "message/client_hello.h"

#include <gtest/gtest.h>

#include <array>
#include <ranges>
#include <vector>

#include "message/code_list_extension.h"
#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::expect_exact;
using test::from_hex;
using test::kDecode;
using test::to_hex;

// Its parts in hexadecimal; each test changes one.
struct Parts {
  std::string version = "fefd";
  std::string random = std::string(64, 'a');
  std::string session_id = "00";
  std::string cookie = "00";
  std::string suites = "0004 c02b c02f";
  std::string compression = "01 00";
  std::string extensions = "0004 0017 0000";

  [[nodiscard]] Buffer encode() const {
    return from_hex(version + random + session_id + cookie + suites + compression + extensions);
  }
};

bool hello_decodes(const Parts& parts) { return ClientHello::decode(parts.encode()).has_value(); }

TEST(ClientHello, IsReadFieldByField) {
  const Parts parts{.session_id = "02 1122", .cookie = "03 334455", .compression = "02 0100"};
  const Buffer body = parts.encode();
  const auto hello = ClientHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::dtls12);
  EXPECT_EQ(to_hex(hello->random), parts.random);
  EXPECT_EQ(to_hex(hello->session_id), "1122");
  EXPECT_EQ(to_hex(hello->cookie), "334455");
  EXPECT_TRUE(hello->cipher_suites.contains(CipherSuite{0xc02f}));
  EXPECT_EQ(std::ranges::distance(hello->cipher_suites), 2);
  EXPECT_EQ(to_hex(hello->compression_methods), "0100");
  EXPECT_TRUE(hello->extensions.has(wire::ExtensionType::extended_master_secret));
}

TEST(ClientHello, IsTakenWholeOnly) {
  const Parts parts{.session_id = "02 1122", .cookie = "03 334455"};
  const Buffer body = parts.encode();
  // RFC 5246 section 7.4.1.2: extensions may be absent.
  const std::size_t without_extensions = body.size() - from_hex(parts.extensions).size();
  expect_exact(body, kDecode<ClientHello>, {without_extensions});
}

TEST(ClientHello, WhatIsWrittenIsRead) {
  const Buffer cookie = test::counted(255);
  const std::array suites{CipherSuite{0xc02b}, CipherSuite{0x00ff}};
  std::array<std::byte, 32> random{};
  random.fill(std::byte{0x5a});
  Buffer body;
  wire::Writer writer(body);
  put_client_hello(writer, random, {}, cookie, suites, [](wire::Writer& out) {
    put_code_list_extension(out, wire::ExtensionType::supported_groups,
                            std::array{NamedGroup::x25519, NamedGroup::secp256r1});
    put_empty_extension(out, wire::ExtensionType::extended_master_secret);
  });
  const auto hello = ClientHello::decode(body);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->legacy_version, ProtocolVersion::dtls12);
  EXPECT_EQ(hello->random, random);
  EXPECT_TRUE(hello->session_id.empty());
  EXPECT_EQ(to_hex(hello->cookie), to_hex(cookie));
  EXPECT_TRUE(std::ranges::equal(hello->cipher_suites, suites));
  EXPECT_EQ(to_hex(hello->compression_methods), "00");
  const auto groups = hello->extensions.find(wire::ExtensionType::supported_groups);
  ASSERT_TRUE(groups);
  EXPECT_EQ(to_hex(*groups), "0004001d0017");
  EXPECT_TRUE(hello->extensions.has(wire::ExtensionType::extended_master_secret));
}

// RFC 5246 section 7.4.1.2: SessionID<0..32>, cipher_suites<2..2^16-2>,
// compression_methods<1..2^8-1>; RFC 6347 section 4.2.1: cookie<0..2^8-1>.
TEST(ClientHello, KeepsToTheLimitsOfItsVectors) {
  const auto bytes = [](std::size_t size) { return std::string(2 * size, '7'); };
  EXPECT_TRUE(hello_decodes({.session_id = "20" + bytes(32)}));
  EXPECT_FALSE(hello_decodes({.session_id = "21" + bytes(33)}));
  EXPECT_FALSE(hello_decodes({.session_id = "ff" + bytes(255)}));
  EXPECT_TRUE(hello_decodes({.cookie = "ff" + bytes(255)}));
  EXPECT_FALSE(hello_decodes({.suites = "0000"}));
  EXPECT_FALSE(hello_decodes({.suites = "0001 c0"}));
  EXPECT_FALSE(hello_decodes({.suites = "0003 c02bc0"}));
  EXPECT_TRUE(hello_decodes({.suites = "fffe" + bytes(0xfffe)}));
  EXPECT_FALSE(hello_decodes({.suites = "ffff" + bytes(0xffff)}));
  EXPECT_FALSE(hello_decodes({.compression = "00"}));
  EXPECT_TRUE(hello_decodes({.compression = "ff" + bytes(255)}));
}

TEST(ClientHello, AnEmptyExtensionBlockIsLikeNone) {
  const Buffer with = Parts{.extensions = "0000"}.encode();
  const auto hello = ClientHello::decode(with);
  ASSERT_TRUE(hello);
  EXPECT_FALSE(hello->extensions.has(wire::ExtensionType::extended_master_secret));
}

TEST(ClientHello, MalformedExtensionsSpoilIt) {
  EXPECT_FALSE(hello_decodes({.extensions = "0003 001700"}));
  EXPECT_FALSE(hello_decodes({.extensions = "0004 0017 0001"}));
  EXPECT_FALSE(hello_decodes({.extensions = "0008 0017 0000 0017 0000"}));
}

}  // namespace
}  // namespace sluice::dtls::message
