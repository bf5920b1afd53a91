// AEADs, hashes, HMAC and the TLS 1.2 PRF against published vectors.
#include <gtest/gtest.h>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "kat/dtls/vectors.h"
#include "schedule/prf12.h"
#include "support/endpoints.h"

namespace sluice::dtls {
namespace {

using test::bytes_at;
using test::must;
using test::to_hex;

crypto::Library& library() { return test::environment().library(); }

HashAlgorithm hash_of(const nlohmann::json& vector) {
  const std::string name = vector.at("hash");
  for (const auto hash :
       {HashAlgorithm::sha1, HashAlgorithm::sha256, HashAlgorithm::sha384, HashAlgorithm::sha512}) {
    if (to_string(hash) == name) return hash;
  }
  throw std::invalid_argument(name);
}

crypto::AeadAlgorithm aead_of(const nlohmann::json& vector) {
  const std::string name = vector.at("algorithm");
  if (name == "AES-128-GCM") return crypto::AeadAlgorithm::aes_128_gcm;
  if (name == "AES-256-GCM") return crypto::AeadAlgorithm::aes_256_gcm;
  if (name == "ChaCha20-Poly1305") return crypto::AeadAlgorithm::chacha20_poly1305;
  throw std::invalid_argument(name);
}

TEST(KnownAnswers, Aead) {
  const auto vectors = test::load_vectors("primitives.json").at("aead");
  ASSERT_EQ(vectors.size(), 10U);
  for (const auto& vector : vectors) {
    SCOPED_TRACE(vector.at("name").get<std::string>());
    const Buffer key = bytes_at(vector, "key");
    const Buffer data = bytes_at(vector, "associated_data");
    const Buffer plaintext = bytes_at(vector, "plaintext");
    crypto::AeadNonce nonce{};
    std::ranges::copy(bytes_at(vector, "nonce"), nonce.begin());

    auto sealer = must(crypto::AeadSealer::make(library(), aead_of(vector), key));
    Buffer sealed(plaintext.size() + crypto::kMaxAeadTagSize);
    must(sealer.seal(nonce, data, plaintext, sealed));
    EXPECT_EQ(to_hex(sealed), vector.at("sealed").get<std::string>());

    auto opener = must(crypto::AeadOpener::make(library(), aead_of(vector), key));
    Buffer opened = bytes_at(vector, "sealed");
    ASSERT_TRUE(opener.open(nonce, data, opened));
    EXPECT_EQ(to_hex(Bytes(opened).first(plaintext.size())), to_hex(plaintext));
  }
}

TEST(KnownAnswers, Hash) {
  const auto vectors = test::load_vectors("primitives.json").at("hash");
  ASSERT_EQ(vectors.size(), 6U);
  for (const auto& vector : vectors) {
    const auto value = must(crypto::digest(library(), hash_of(vector), bytes_at(vector, "data")));
    EXPECT_EQ(to_hex(value.bytes()), vector.at("value").get<std::string>()) << vector.at("name");
  }
}

TEST(KnownAnswers, Hmac) {
  const auto vectors = test::load_vectors("primitives.json").at("hmac");
  ASSERT_EQ(vectors.size(), 18U);
  for (const auto& vector : vectors) {
    auto hmac = must(crypto::Hmac::with_key(library(), hash_of(vector), bytes_at(vector, "key")));
    EXPECT_EQ(to_hex(must(hmac.compute({bytes_at(vector, "data")})).bytes()),
              vector.at("mac").get<std::string>())
        << vector.at("name");
  }
}

TEST(KnownAnswers, Prf12) {
  const auto vectors = test::load_vectors("primitives.json").at("prf12");
  ASSERT_EQ(vectors.size(), 2U);
  for (const auto& vector : vectors) {
    const std::string label = vector.at("label");
    const std::string expected = vector.at("output");
    Buffer out(expected.size() / 2);
    must(schedule::prf12(library(), hash_of(vector), bytes_at(vector, "secret"), label,
                         bytes_at(vector, "seed"), out));
    EXPECT_EQ(to_hex(out), expected) << vector.at("name");
  }
}

}  // namespace
}  // namespace sluice::dtls
