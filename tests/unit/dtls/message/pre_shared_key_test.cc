#include "message/pre_shared_key.h"

#include "message/new_session_ticket13.h"
#include "unit/dtls/message/exactness.h"

namespace sluice::dtls::message {
namespace {

using test::counted;
using test::expect_exact;
using test::from_hex;
using test::kDecode;
using test::to_hex;

const std::string kBinder(64, 'b');

TEST(OfferedPsks, AreIdentitiesAndAsManyBinders) {
  const Buffer data = from_hex(std::string("0012 0002 6162 00000000 0004 63646566 01020304") +
                               "0042 20" + kBinder + "20" + kBinder);
  const auto offered = OfferedPsks::decode(data);
  ASSERT_TRUE(offered);
  ASSERT_EQ(offered->identities.size(), 2U);
  EXPECT_EQ(to_hex(offered->identities[1].identity), "63646566");
  EXPECT_EQ(offered->identities[1].obfuscated_ticket_age, 0x01020304U);
  EXPECT_EQ(to_hex(offered->binders.at(0)), kBinder);
  EXPECT_EQ(offered->binders_size, 2 + 2 * 33U);
  expect_exact(data, kDecode<OfferedPsks>);
}

TEST(OfferedPsks, RefusesWhatDoesNotFitTogether) {
  const auto decodes = [](const std::string& hex) {
    return OfferedPsks::decode(from_hex(hex)).has_value();
  };
  EXPECT_TRUE(decodes("0007 0001 61 00000000 0021 20" + kBinder));
  EXPECT_FALSE(decodes("0000 0000")) << "none";
  EXPECT_FALSE(decodes("0006 0000 00000000 0021 20" + kBinder)) << "an empty identity";
  EXPECT_FALSE(decodes("0007 0001 61 00000000 0020 1f" + kBinder.substr(2))) << "a short binder";
  EXPECT_FALSE(decodes("0007 0001 61 00000000 0000")) << "no binder";
  EXPECT_FALSE(decodes("0007 0001 61 00000000 0042 20" + kBinder + "20" + kBinder)) << "two";
}

// However many there are, a bounded number is looked at.
TEST(OfferedPsks, AreBounded) {
  Buffer data;
  wire::Writer out(data);
  {
    const auto list = out.vector16();
    for (int i = 0; i < 100; ++i) out.bytes(from_hex("0001 61 00000000"));
  }
  {
    const auto list = out.vector16();
    for (int i = 0; i < 100; ++i) out.bytes(from_hex("20" + kBinder));
  }
  const auto offered = OfferedPsks::decode(data);
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->identities.size(), OfferedPsks::kMaxIdentities);
  EXPECT_EQ(offered->binders.size(), OfferedPsks::kMaxIdentities);
  EXPECT_EQ(offered->binders_size, 2 + 100 * 33U);
}

TEST(OfferedPsks, ComeBackAsTheyWerePut) {
  const Buffer identity = counted(5);
  const std::array identities{PskIdentity{identity, 7}, PskIdentity{identity, 8}};
  const std::array<std::size_t, 2> sizes{32, 48};
  Buffer block;
  wire::Writer out(block);
  put_offered_psks(out, identities, sizes);
  const auto parsed = ExtensionBlock::parse(block);
  ASSERT_TRUE(parsed && parsed->is_last(wire::ExtensionType::pre_shared_key));
  const auto offered =
      OfferedPsks::decode(parsed->find(wire::ExtensionType::pre_shared_key).value());
  ASSERT_TRUE(offered);
  EXPECT_EQ(offered->binders.at(1).size(), 48U);
  EXPECT_EQ(offered->binders_size, binders_size(sizes));
  EXPECT_EQ(offered->identities.at(1).obfuscated_ticket_age, 8U);
}

TEST(PskKeyExchangeModes, AreAList) {
  Buffer block;
  wire::Writer out(block);
  put_psk_key_exchange_modes(
      out, std::array{PskKeyExchangeMode::psk_dhe_ke, PskKeyExchangeMode::psk_ke});
  EXPECT_EQ(to_hex(block), "002d0003020100");
  const Buffer data = from_hex("020100");
  EXPECT_EQ(to_hex(decode_psk_key_exchange_modes(data).value()), "0100");
  for (const char* malformed : {"", "00", "0201", "010101"}) {
    EXPECT_FALSE(decode_psk_key_exchange_modes(from_hex(malformed))) << malformed;
  }
}

TEST(SelectedIdentity, IsANumber) {
  EXPECT_EQ(decode_selected_identity(from_hex("0102")), 0x0102);
  EXPECT_EQ(decode_selected_identity(from_hex("01")), std::nullopt);
  EXPECT_EQ(decode_selected_identity(from_hex("010203")), std::nullopt);
}

TEST(NewSessionTicket13, ComesBackAsItWasPut) {
  const Buffer nonce = counted(3);
  const Buffer ticket = counted(300);
  Buffer body;
  wire::Writer out(body);
  put_new_session_ticket13(out, {std::chrono::seconds{7200}, 0xdeadbeef, nonce, ticket});
  const auto decoded = NewSessionTicket13::decode(body);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->lifetime, std::chrono::hours{2});
  EXPECT_EQ(decoded->age_add, 0xdeadbeefU);
  EXPECT_EQ(to_hex(decoded->nonce), to_hex(nonce));
  EXPECT_EQ(to_hex(decoded->ticket), to_hex(ticket));
  expect_exact(body, kDecode<NewSessionTicket13>);
}

TEST(NewSessionTicket13, MayHaveExtensions) {
  EXPECT_TRUE(
      NewSessionTicket13::decode(from_hex("00000001 00000002 00 0001 aa 0008 002a 0004 00000000")));
  EXPECT_FALSE(NewSessionTicket13::decode(from_hex("00000001 00000002 00 0000 0000"))) << "empty";
  EXPECT_FALSE(NewSessionTicket13::decode(from_hex("00000001 00000002 00 0001 aa 0003 002a00")));
}

}  // namespace
}  // namespace sluice::dtls::message
