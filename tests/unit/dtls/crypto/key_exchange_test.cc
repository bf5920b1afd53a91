#include "crypto/key_exchange.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#include "support/hybrid.h"
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
    return secret ? to_hex(secret->bytes()) : refusal(secret.error());
  }
  // The secret alone.
  static std::string encapsulate(NamedGroup group, Bytes peer) {
    const auto made = EphemeralKey::encapsulate(library(), group, test::copy_of(peer));
    return made ? to_hex(made->secret.bytes()) : refusal(made.error());
  }

 private:
  static std::string refusal(const Error& error) {
    EXPECT_EQ(error.code, Errc::bad_key_share);
    EXPECT_EQ(error.alert, Alert::illegal_parameter);
    EXPECT_EQ(ERR_peek_error(), 0U);
    return "refused";
  }
};

struct Sizes {
  std::size_t share;
  std::size_t answer;
  std::size_t secret;
};
Sizes sizes_of(NamedGroup group) {
  switch (group) {
    case NamedGroup::x25519:
      return {32, 32, 32};
    case NamedGroup::secp256r1:
      return {65, 65, 32};
    case NamedGroup::secp384r1:
      return {97, 97, 48};
    case NamedGroup::x25519_mlkem768:
      return {1216, 1120, 64};
  }
  return {};
}
std::size_t share_size(NamedGroup group) { return sizes_of(group).share; }

class Groups : public KeyExchange, public testing::WithParamInterface<NamedGroup> {
 protected:
  void SetUp() override {
    KeyExchange::SetUp();
    if (is_kem(GetParam())) SLUICE_NEEDS_HYBRID();
  }
};

TEST_P(Groups, BothSidesHaveTheSameSecret) {
  const auto [share_size, answer_size, secret_size] = sizes_of(GetParam());
  const EphemeralKey key = generate(GetParam());
  EXPECT_EQ(key.group(), GetParam());
  const KeyShare share = must(key.share());
  EXPECT_EQ(share.bytes().size(), share_size);
  const auto made = must(EphemeralKey::encapsulate(library(), GetParam(), share.bytes()));
  EXPECT_EQ(made.share.bytes().size(), answer_size);
  EXPECT_EQ(made.secret.size(), secret_size);
  EXPECT_EQ(derive(key, made.share.bytes()), to_hex(made.secret.bytes()));

  EXPECT_NE(to_hex(must(generate(GetParam()).share()).bytes()), to_hex(share.bytes()));
  const auto again = must(EphemeralKey::encapsulate(library(), GetParam(), share.bytes()));
  EXPECT_NE(to_hex(again.share.bytes()), to_hex(made.share.bytes()));
}

TEST_P(Groups, RefusesSharesOfAnotherSize) {
  const EphemeralKey key = generate(GetParam());
  const Buffer share = test::copy_of(must(key.share()).bytes());
  const auto made = must(EphemeralKey::encapsulate(library(), GetParam(), share));
  const auto [share_size, answer_size, secret_size] = sizes_of(GetParam());
  const std::size_t longest = std::max(share_size, answer_size) + 1;
  for (std::size_t size = 0; size <= longest; ++size) {
    Buffer other = share;
    other.resize(size);
    if (size != share_size) {
      EXPECT_EQ(encapsulate(GetParam(), other), "refused") << size;
    }
    other = test::copy_of(made.share.bytes());
    other.resize(size);
    if (size != answer_size) {
      EXPECT_EQ(derive(key, other), "refused") << size;
    }
  }
}

TEST_P(Groups, AfterARefusedShareTheNextOneWorks) {
  const EphemeralKey key = generate(GetParam());
  EXPECT_EQ(derive(key, Buffer(sizes_of(GetParam()).answer)), "refused");
  EXPECT_EQ(encapsulate(GetParam(), Buffer(share_size(GetParam()))), "refused");
  const auto made =
      must(EphemeralKey::encapsulate(library(), GetParam(), must(key.share()).bytes()));
  EXPECT_EQ(derive(key, made.share.bytes()), to_hex(made.secret.bytes()));
}

INSTANTIATE_TEST_SUITE_P(All, Groups,
                         testing::Values(NamedGroup::x25519, NamedGroup::secp256r1,
                                         NamedGroup::secp384r1, NamedGroup::x25519_mlkem768),
                         [](const auto& param_info) {
                           return std::string(to_string(param_info.param));
                         });

// Points of low order and their other encodings (cr.yp.to/ecdh.html).
constexpr const char* kX25519PointsOfLowOrder[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
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
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};

// RFC 7748 section 6.1 and RFC 8422 section 5.11: an all-zero secret must be refused.
TEST_F(KeyExchange, X25519RefusesPointsOfLowOrder) {
  const EphemeralKey key = generate(NamedGroup::x25519);
  for (const auto* const point : kX25519PointsOfLowOrder) {
    EXPECT_EQ(derive(key, from_hex(point)), "refused") << point;
    EXPECT_EQ(encapsulate(NamedGroup::x25519, from_hex(point)), "refused") << point;
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
  const auto key = EphemeralKey::generate(library(), NamedGroup{0x6399});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code, Errc::libcrypto_failure);
}

}  // namespace
}  // namespace sluice::dtls::crypto
