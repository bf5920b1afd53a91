#include "crypto/key_exchange.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "unit/dtls/crypto/crypto_test.h"

namespace sluice::dtls::crypto {
namespace {

using test::from_hex;
using test::must;
using test::to_hex;

class KeyExchange : public test::CryptoTest {
 protected:
  static EphemeralKey generate(NamedGroup group) {
    return must(EphemeralKey::generate(library(), group));
  }
  static std::string derive(const EphemeralKey& key, Bytes peer) {
    const auto secret = key.derive(library(), test::copy_of(peer));
    if (secret) return to_hex(secret->bytes());
    EXPECT_EQ(secret.error().code, Errc::bad_key_share);
    EXPECT_EQ(secret.error().alert, Alert::illegal_parameter);
    EXPECT_EQ(ERR_peek_error(), 0U);
    return "refused";
  }
};

class Groups : public KeyExchange, public testing::WithParamInterface<NamedGroup> {};

std::size_t share_size(NamedGroup group) {
  return group == NamedGroup::x25519 ? 32 : group == NamedGroup::secp256r1 ? 65 : 97;
}
std::size_t secret_size(NamedGroup group) { return group == NamedGroup::secp384r1 ? 48 : 32; }

TEST_P(Groups, BothSidesDeriveTheSame) {
  const EphemeralKey a = generate(GetParam());
  const EphemeralKey b = generate(GetParam());
  EXPECT_EQ(a.group(), GetParam());
  const KeyShare share_a = must(a.share());
  const KeyShare share_b = must(b.share());
  EXPECT_EQ(share_a.bytes().size(), share_size(GetParam()));
  EXPECT_NE(to_hex(share_a.bytes()), to_hex(share_b.bytes()));
  const std::string secret = derive(a, share_b.bytes());
  EXPECT_EQ(secret.size(), 2 * secret_size(GetParam()));
  EXPECT_EQ(derive(b, share_a.bytes()), secret);
}

TEST_P(Groups, RefusesSharesOfAnotherSize) {
  const EphemeralKey key = generate(GetParam());
  Buffer share = test::copy_of(must(generate(GetParam()).share()).bytes());
  share.push_back(std::byte{0});
  for (std::size_t size = 0; size <= share.size(); ++size) {
    if (size == share_size(GetParam())) continue;
    EXPECT_EQ(derive(key, Bytes(share).first(size)), "refused") << size;
  }
}

TEST_P(Groups, AfterARefusedShareTheNextOneWorks) {
  const EphemeralKey key = generate(GetParam());
  const EphemeralKey peer = generate(GetParam());
  const Buffer bad(share_size(GetParam()), std::byte{0});
  EXPECT_EQ(derive(key, bad), "refused");
  EXPECT_EQ(derive(key, must(peer.share()).bytes()), derive(peer, must(key.share()).bytes()));
}

INSTANTIATE_TEST_SUITE_P(
    All, Groups, testing::Values(NamedGroup::x25519, NamedGroup::secp256r1, NamedGroup::secp384r1),
    [](const auto& param_info) { return std::string(to_string(param_info.param)); });

// RFC 7748 section 6.1 and RFC 8422 section 5.11: an all-zero secret must be refused. These are the
// points of low order and their other encodings (cr.yp.to/ecdh.html).
TEST_F(KeyExchange, X25519RefusesPointsOfLowOrder) {
  const EphemeralKey key = generate(NamedGroup::x25519);
  for (const auto* const point :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b880",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_EQ(derive(key, from_hex(point)), "refused") << point;
  }
}

class NistGroups : public KeyExchange, public testing::WithParamInterface<NamedGroup> {
 protected:
  [[nodiscard]] static Buffer good_share() {
    return test::copy_of(must(generate(GetParam()).share()).bytes());
  }
  [[nodiscard]] static std::size_t field_size() { return (share_size(GetParam()) - 1) / 2; }
};

// RFC 8422 section 5.4.1: uncompressed only; and section 5.10: a peer's point must be on the curve.
TEST_P(NistGroups, RefuseEveryOtherForm) {
  const EphemeralKey key = generate(GetParam());
  const Buffer good = good_share();
  EXPECT_NE(derive(key, good), "refused");
  EXPECT_EQ(derive(key, from_hex("00")), "refused") << "infinity";
  for (const unsigned first : {0x00U, 0x02U, 0x03U, 0x05U, 0x06U, 0x07U, 0xffU}) {
    Buffer other = good;
    other[0] = static_cast<std::byte>(first);
    EXPECT_EQ(derive(key, other), "refused") << "form " << first;
    // The same as a compressed point would look.
    EXPECT_EQ(derive(key, Bytes(other).first(1 + field_size())), "refused") << "form " << first;
  }
  // Hybrid forms that are right in themselves: 6 or 7 by the parity of y.
  Buffer hybrid = good;
  hybrid[0] = std::byte{6} | (good.back() & std::byte{1});
  EXPECT_EQ(derive(key, hybrid), "refused");
  // And the compressed form.
  Buffer compressed = test::copy_of(Bytes(good).first(1 + field_size()));
  compressed[0] = std::byte{2} | (good.back() & std::byte{1});
  EXPECT_EQ(derive(key, compressed), "refused");
}

TEST_P(NistGroups, RefusePointsOffTheCurve) {
  const EphemeralKey key = generate(GetParam());
  const Buffer good = good_share();
  for (const std::size_t at : {std::size_t{1}, field_size(), field_size() + 1, 2 * field_size()}) {
    Buffer off = good;
    off[at] ^= std::byte{1};
    EXPECT_EQ(derive(key, off), "refused") << at;
  }
  Buffer origin(good.size());
  origin[0] = std::byte{4};
  EXPECT_EQ(derive(key, origin), "refused") << "(0, 0)";
  Buffer highest(good.size(), std::byte{0xff});
  highest[0] = std::byte{4};
  EXPECT_EQ(derive(key, highest), "refused") << "coordinates above the prime";
  EXPECT_NE(derive(key, good), "refused") << "after a refused one the next works";
}

// A point of the other curve has the wrong size; one of a curve of the same size is off this one.
TEST_F(KeyExchange, P256RefusesAPointOfSecp256k1) {
  const EphemeralKey key = generate(NamedGroup::secp256r1);
  const KeyPtr other(EVP_EC_gen("secp256k1"));
  ASSERT_TRUE(other);
  Buffer point(65);
  std::size_t size = 0;
  ASSERT_EQ(EVP_PKEY_get_octet_string_param(other.get(), OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                            reinterpret_cast<unsigned char*>(point.data()),
                                            point.size(), &size),
            1);
  ASSERT_EQ(size, 65U);
  EXPECT_EQ(derive(key, point), "refused");
}

INSTANTIATE_TEST_SUITE_P(All, NistGroups,
                         testing::Values(NamedGroup::secp256r1, NamedGroup::secp384r1),
                         [](const auto& param_info) {
                           return std::string(to_string(param_info.param));
                         });

TEST_F(KeyExchange, AnUnknownGroupIsAnError) {
  const auto key = EphemeralKey::generate(library(), NamedGroup{0x11ec});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::libcrypto_failure);
}

}  // namespace
}  // namespace sluice::dtls::crypto
