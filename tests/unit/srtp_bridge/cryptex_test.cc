// Encryption of header extensions and CSRCs (RFC 9335). What needs it is skipped where libsrtp has
// none; the first tests are for such a libsrtp, and for header forms alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "cryptex.h"
#include "session_peers.h"

namespace sluice::srtp {
namespace {

using dtls::SrtpProfile;

constexpr std::size_t kExtensionAt = 12;  // of a packet without CSRCs

Packet with_profile_field(Packet packet, int field) {
  packet[kExtensionAt] = static_cast<std::byte>(field >> 8);
  packet[kExtensionAt + 1] = static_cast<std::byte>(field & 0xff);
  return packet;
}

tl::expected<Session, SetupError> make_session(SessionOptions options) {
  return Session::make(test::make_srtp_keys(SrtpProfile::aead_aes_128_gcm).client, options);
}

TEST(CryptexWithoutIt, IsRefusedAndNeverIgnored) {
  if (has_cryptex()) GTEST_SKIP() << "this libsrtp has cryptex";
  for (const auto mode : {Cryptex::receive, Cryptex::on, Cryptex::required}) {
    const auto refused = make_session({.cryptex = mode});
    ASSERT_FALSE(refused) << to_string(mode);
    EXPECT_EQ(refused.error(), SetupError::unsupported_cryptex);
    auto peers = make_peers(SrtpProfile::aead_aes_128_gcm);
    const auto unchanged = peers.client.set_cryptex(mode);
    ASSERT_FALSE(unchanged);
    EXPECT_EQ(unchanged.error(), SetupError::unsupported_cryptex);
    EXPECT_EQ(peers.client.cryptex(), Cryptex::off);
    EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())), make_rtp());
  }
  EXPECT_TRUE(make_session({.cryptex = Cryptex::off}));
}

TEST(CryptexModes, HaveNamesAndARange) {
  EXPECT_EQ(to_string(Cryptex::off), "off");
  EXPECT_EQ(to_string(Cryptex::receive), "receive");
  EXPECT_EQ(to_string(Cryptex::on), "on");
  EXPECT_EQ(to_string(Cryptex::required), "required");
  const auto beyond = static_cast<Cryptex>(4);
  EXPECT_EQ(to_string(beyond), "unknown");
  EXPECT_EQ(make_session({.cryptex = beyond}).error(), SetupError::invalid_options);
  auto peers = make_peers(SrtpProfile::aead_aes_128_gcm);
  EXPECT_EQ(peers.client.set_cryptex(beyond).error(), SetupError::invalid_options);
}

TEST(CryptexModes, NeedThePeerToSend) {
  for (const auto wanted : {Cryptex::off, Cryptex::receive, Cryptex::on, Cryptex::required}) {
    EXPECT_EQ(agree_on_cryptex(wanted, true), wanted);
    EXPECT_EQ(agree_on_cryptex(wanted, false),
              wanted == Cryptex::off ? Cryptex::off : Cryptex::receive);
  }
}

// Sections 4.2 and 4.3 of RFC 8285; of its two-byte form only the one without appbits.
TEST(CryptexForms, AreThoseOfRfc8285) {
  const auto plain = make_rtp({.extension_words = 2});
  EXPECT_TRUE(is_encryptable(make_rtp()));
  EXPECT_TRUE(is_encryptable(plain));
  EXPECT_TRUE(is_encryptable(with_profile_field(plain, 0x1000)));
  for (const int other : {0x1001, 0x100f, 0xbedf, 0xc0de, 0xc2de, 0}) {
    EXPECT_FALSE(is_encryptable(with_profile_field(plain, other))) << other;
  }
  EXPECT_FALSE(is_header_clear(make_rtp()));
  EXPECT_FALSE(is_header_clear(with_profile_field(plain, 0xc0de)));
  EXPECT_FALSE(is_header_clear(with_profile_field(plain, 0xc2de)));
  EXPECT_TRUE(is_header_clear(plain));
  EXPECT_TRUE(is_header_clear(with_profile_field(plain, 0x1234)));
  EXPECT_TRUE(is_header_clear(make_rtp({.csrcs = 1})));
}

// The payload of `packet`, behind an empty extension.
Packet with_empty_extension(Packet packet) {
  const auto csrcs = std::to_integer<std::ptrdiff_t>(packet[0] & std::byte{0x0f});
  packet[0] |= std::byte{0x10};
  const std::byte empty[] = {std::byte{0xbe}, std::byte{0xde}, std::byte{0}, std::byte{0}};
  packet.insert(packet.begin() + 12 + 4 * csrcs, std::begin(empty), std::end(empty));
  return packet;
}

TEST(CryptexForms, AnEmptyExtensionComesAndGoes) {
  for (const std::uint8_t csrcs : {std::uint8_t{1}, std::uint8_t{15}}) {
    for (const std::size_t payload : {0UL, 1UL, 160UL}) {
      const auto plain = make_rtp({.payload = payload, .csrcs = csrcs});
      EXPECT_TRUE(lacks_extension(plain));
      auto buffer = plain;
      buffer.resize(plain.size() + kEmptyExtension);
      add_empty_extension(buffer, plain.size());
      EXPECT_EQ(buffer, with_empty_extension(plain));
      EXPECT_FALSE(lacks_extension(buffer));
      remove_empty_extension(buffer, plain.size());
      buffer.resize(plain.size());
      EXPECT_EQ(buffer, plain);
    }
  }
  EXPECT_FALSE(lacks_extension(make_rtp()));
}

// A fixture with sessions of both sides in any mode.
class CryptexTest : public testing::TestWithParam<SrtpProfile> {
 protected:
  void SetUp() override {
    if (!has_cryptex()) GTEST_SKIP() << "libsrtp has cryptex from 2.8.0 on";
  }
  static Peers peers_in(Cryptex client, Cryptex server) {
    auto keys = test::make_srtp_keys(GetParam());
    return {Session::make(std::move(keys.client), {.cryptex = client}).value(),
            Session::make(std::move(keys.server), {.cryptex = server}).value()};
  }
  static Peers both() { return peers_in(Cryptex::on, Cryptex::on); }
};

INSTANTIATE_TEST_SUITE_P(Profiles, CryptexTest, testing::ValuesIn(test::kAllSrtpProfiles),
                         profile_name);

bool contains(const Packet& packet, std::span<const std::byte> bytes) {
  return std::ranges::search(packet, bytes).begin() != packet.end();
}

TEST_P(CryptexTest, HidesExtensionsAndCsrcsAlone) {
  auto peers = both();
  std::uint16_t sequence = 1;
  for (const std::uint16_t field : {std::uint16_t{0xbede}, std::uint16_t{0x1000}}) {
    const auto plain = with_profile_field(
        make_rtp({.sequence = sequence++, .payload = 40, .extension_words = 3}), field);
    const auto sealed = protect_rtp(peers.client, plain);
    ASSERT_GT(sealed.size(), plain.size());
    EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 12, sealed.begin()));
    EXPECT_EQ(Packet(sealed.begin() + 12, sealed.begin() + 14),
              (Packet{field == 0xbede ? std::byte{0xc0} : std::byte{0xc2}, std::byte{0xde}}));
    EXPECT_FALSE(contains(sealed, std::span(plain).subspan(16, 12)));
    EXPECT_EQ(unprotect_rtp(peers.server, sealed), plain);
  }
  const auto with_csrcs = make_rtp({.sequence = sequence, .csrcs = 3, .extension_words = 2});
  const auto sealed = protect_rtp(peers.client, with_csrcs);
  EXPECT_FALSE(contains(sealed, std::span(with_csrcs).subspan(12, 12)));
  EXPECT_EQ(unprotect_rtp(peers.server, sealed), with_csrcs);
  // RTCP has none of it.
  EXPECT_EQ(unprotect_rtcp(peers.server, protect_rtcp(peers.client, make_rtcp())), make_rtcp());
}

// RFC 9335 section 5.1.
TEST_P(CryptexTest, CsrcsAloneGetAnEmptyExtension) {
  auto peers = both();
  const auto plain = make_rtp({.csrcs = 2});
  const auto sealed = protect_rtp(peers.client, plain);
  EXPECT_FALSE(contains(sealed, std::span(plain).subspan(12, 8)));
  EXPECT_EQ(unprotect_rtp(peers.server, sealed), with_empty_extension(plain));
}

TEST_P(CryptexTest, CsrcsAloneNeedRoomForItAndNoMore) {
  auto peers = both();
  const auto plain = make_rtp({.csrcs = 2});
  const auto needed = protect_rtp(peers.client, make_rtp({.sequence = 1, .csrcs = 2})).size();
  EXPECT_LE(needed, plain.size() + kMaxTrailer - kMaxMki);
  for (const auto size : {plain.size(), plain.size() + kEmptyExtension - 1, needed - 1}) {
    auto buffer = plain;
    buffer.resize(size);
    EXPECT_EQ(peers.client.protect_rtp(buffer, plain.size()),
              kUnexpected(PacketError::buffer_too_small));
    buffer.resize(plain.size());
    EXPECT_EQ(buffer, plain);
  }
  auto buffer = plain;
  buffer.resize(needed);
  EXPECT_EQ(peers.client.protect_rtp(buffer, plain.size()), needed);
}

TEST_P(CryptexTest, OtherExtensionsAreNotSent) {
  auto peers = both();
  for (const int other : {0x1003, 0xabcd, 0xc0de}) {
    const auto plain = with_profile_field(make_rtp({.extension_words = 1}), other);
    auto buffer = plain;
    buffer.resize(plain.size() + kMaxTrailer);
    EXPECT_EQ(peers.client.protect_rtp(buffer, plain.size()),
              kUnexpected(PacketError::header_in_clear));
    buffer.resize(plain.size());
    EXPECT_EQ(buffer, plain);
  }
  EXPECT_EQ(peers.client.statistics().outbound.count(PacketError::header_in_clear), 3U);
  // The refusals have used no index up.
  EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())), make_rtp());
}

// Who has not been told that the peer can receive it does not send it.
TEST_P(CryptexTest, AReceiverAloneSendsInClear) {
  auto peers = peers_in(Cryptex::receive, Cryptex::on);
  const auto plain = make_rtp({.csrcs = 1, .extension_words = 2});
  const auto clear = protect_rtp(peers.client, plain);
  EXPECT_TRUE(std::equal(plain.begin(), plain.begin() + 28, clear.begin()));
  EXPECT_EQ(unprotect_rtp(peers.server, clear), plain) << "either form is taken";
  EXPECT_EQ(unprotect_rtp(peers.client, protect_rtp(peers.server, plain)), plain);
}

TEST_P(CryptexTest, RequiredRefusesHeadersInClear) {
  auto peers = peers_in(Cryptex::off, Cryptex::required);
  const auto extension = make_rtp({.sequence = 1, .extension_words = 1});
  const auto csrcs = make_rtp({.sequence = 2, .csrcs = 1});
  for (const auto& plain : {extension, csrcs}) {
    EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, plain)),
              kUnexpected(PacketError::header_in_clear));
  }
  EXPECT_EQ(peers.server.statistics().inbound.count(PacketError::header_in_clear), 2U);
  EXPECT_TRUE(peers.server.ssrcs(Direction::inbound).empty());
  EXPECT_TRUE(unprotect_rtp(peers.server, protect_rtp(peers.client, make_rtp())));
  ASSERT_TRUE(peers.client.set_cryptex(Cryptex::on));
  const auto later = make_rtp({.sequence = 1003, .csrcs = 1, .extension_words = 1});
  EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, later)), later);
}

// Of 40 SSRCs, in several contexts of libsrtp. One begins behind a roll-over, which makes its
// stream by itself.
TEST_P(CryptexTest, ChangesForAllStreams) {
  auto peers = peers_in(Cryptex::off, Cryptex::receive);
  for (const int number : {65'535, 65'536}) {
    ASSERT_FALSE(protect_rtp(peers.client,
                             make_rtp({.ssrc = 1, .sequence = static_cast<std::uint16_t>(number)}))
                     .empty());
  }
  std::uint16_t sequence = 1;
  for (const auto mode : {Cryptex::off, Cryptex::on, Cryptex::receive, Cryptex::required}) {
    ASSERT_TRUE(peers.client.set_cryptex(mode));
    EXPECT_EQ(peers.client.cryptex(), mode);
    for (std::uint32_t ssrc = 1; ssrc <= 40; ++ssrc) {
      const auto plain = make_rtp(
          {.ssrc = ssrc, .sequence = sequence, .payload = 20, .csrcs = 1, .extension_words = 1});
      const auto sealed = protect_rtp(peers.client, plain);
      EXPECT_EQ(contains(sealed, std::span(plain).subspan(12, 4)), !sends_encrypted(mode));
      ASSERT_EQ(unprotect_rtp(peers.server, sealed), plain) << to_string(mode) << ' ' << ssrc;
    }
    ++sequence;
  }
  EXPECT_EQ(peers.server.roll_over_counter(Direction::inbound, 1), 1U);
}

// And a receiver that no longer takes them reads no more than the fixed header of such packets.
TEST_P(CryptexTest, OffGivesNoneBack) {
  auto peers = both();
  const auto plain = make_rtp({.csrcs = 1, .extension_words = 1});
  ASSERT_TRUE(peers.server.set_cryptex(Cryptex::off));
  const auto received = unprotect_rtp(peers.server, protect_rtp(peers.client, plain));
  EXPECT_NE(received, plain);
}

TEST_P(CryptexTest, TheFirstPacketBehindARollOverIsFound) {
  auto peers = both();
  for (const int number : {65'534, 65'535, 65'536}) {
    ASSERT_FALSE(
        protect_rtp(peers.client, make_rtp({.sequence = static_cast<std::uint16_t>(number)}))
            .empty());
  }
  const auto plain = make_rtp({.sequence = 1, .csrcs = 2, .extension_words = 2});
  EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, plain)), plain);
  const auto next = make_rtp({.sequence = 2, .csrcs = 2, .extension_words = 2});
  EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, next)), next);
}

// Under one index the same key stream would cover other bytes of the packet: its header extension,
// where it covered payload before.
TEST_P(CryptexTest, APacketThatWentInClearIsNotRepeatedEncrypted) {
  auto peers = peers_in(Cryptex::receive, Cryptex::receive);
  for (const auto& plain :
       {make_rtp({.sequence = 1, .extension_words = 1}), make_rtp({.sequence = 2, .csrcs = 1})}) {
    ASSERT_TRUE(peers.client.set_cryptex(Cryptex::receive));
    const auto clear = protect_rtp(peers.client, plain);
    EXPECT_EQ(protect_rtp(peers.client, plain), clear);
    ASSERT_TRUE(peers.client.set_cryptex(Cryptex::on));
    auto buffer = plain;
    buffer.resize(plain.size() + kMaxTrailer);
    EXPECT_EQ(peers.client.protect_rtp(buffer, plain.size()),
              kUnexpected(PacketError::index_reused));
    buffer.resize(plain.size());
    EXPECT_EQ(buffer, plain);
  }
}

TEST_P(CryptexTest, TheSamePacketIsTheSameAgain) {
  auto peers = both();
  for (const auto& plain : {make_rtp({.sequence = 1, .csrcs = 1, .extension_words = 1}),
                            make_rtp({.sequence = 2, .csrcs = 1})}) {
    const auto first = protect_rtp(peers.client, plain);
    EXPECT_EQ(protect_rtp(peers.client, plain), first);
    EXPECT_TRUE(unprotect_rtp(peers.server, first));
  }
}

TEST_P(CryptexTest, DamageIsFoundAndHarmsNothing) {
  auto peers = both();
  const auto plain = make_rtp({.payload = 20, .csrcs = 2, .extension_words = 2});
  const auto sealed = protect_rtp(peers.client, plain);
  for (std::size_t at = 12; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] ^= std::byte{0x40};
    EXPECT_FALSE(unprotect_rtp(peers.server, damaged)) << at;
  }
  EXPECT_EQ(unprotect_rtp(peers.server, sealed), plain);
}

// Whatever the header is like: sent and received as it was, or refused and as it was.
TEST_P(CryptexTest, EveryHeaderRoundTripsOrIsRefused) {
  auto peers = both();
  std::mt19937 random(9335);
  const auto up_to = [&](unsigned most) { return random() % (most + 1); };
  for (std::uint16_t sequence = 1; sequence <= 2000; ++sequence) {
    auto plain = make_rtp({.sequence = sequence,
                           .payload = up_to(60),
                           .csrcs = static_cast<std::uint8_t>(up_to(15)),
                           .extension_words = up_to(4)});
    const auto extension = 12 + 4 * std::to_integer<std::size_t>(plain[0] & std::byte{0x0f});
    // One in three has another form, or a length that is too large or too small.
    const auto change = (plain[0] & std::byte{0x10}) == std::byte{0} ? 9 : up_to(8);
    if (change < 3) plain[extension + change] = static_cast<std::byte>(random());
    if (change == 3) plain.resize(extension + 4);
    Packet sealed = plain;
    sealed.resize(plain.size() + kMaxTrailer);
    const auto size = peers.client.protect_rtp(sealed, plain.size());
    sealed.resize(size.value_or(plain.size()));
    if (!size) {
      EXPECT_EQ(sealed, plain);
      continue;
    }
    const auto expected = lacks_extension(plain) ? with_empty_extension(plain) : plain;
    EXPECT_FALSE(unprotect_rtp(peers.server, Packet(sealed.begin(), sealed.end() - 1)));
    auto lies = sealed;
    lies[0] ^= static_cast<std::byte>(1 + up_to(14));
    EXPECT_FALSE(unprotect_rtp(peers.server, lies));
    ASSERT_EQ(unprotect_rtp(peers.server, sealed), expected) << sequence;
  }
  EXPECT_GT(peers.server.statistics().inbound.rtp, 1000U);
  EXPECT_GT(peers.client.statistics().outbound.count(PacketError::header_in_clear), 50U);
  EXPECT_GT(peers.client.statistics().outbound.count(PacketError::malformed), 50U);
}

TEST_P(CryptexTest, GoesOnInARestoredSession) {
  auto peers = both();
  const auto before = make_rtp({.sequence = 1, .csrcs = 1, .extension_words = 1});
  EXPECT_EQ(unprotect_rtp(peers.server, protect_rtp(peers.client, before)), before);
  auto keys = test::make_srtp_keys(GetParam());
  auto client = Session::restore(std::move(keys.client), std::move(peers.client).export_state(),
                                 {.cryptex = Cryptex::on});
  auto server = Session::restore(std::move(keys.server), std::move(peers.server).export_state(),
                                 {.cryptex = Cryptex::on});
  ASSERT_TRUE(client && server);
  const auto after = make_rtp({.sequence = 2, .csrcs = 1, .extension_words = 1});
  const auto sealed = protect_rtp(*client, after);
  EXPECT_FALSE(contains(sealed, std::span(after).subspan(12, 4)));
  EXPECT_EQ(unprotect_rtp(*server, sealed), after);
}

}  // namespace
}  // namespace sluice::srtp
